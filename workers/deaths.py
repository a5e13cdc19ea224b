"""Notices a child that died in the middle of a job, and has its jobs given back at once.

This runs in the worker's own process, which shares no database connection with its children and must not wait for
one: it only sends a hint. Should that be lost too, the lease runs out.
"""

from __future__ import annotations

from typing import Any

from billiard.exceptions import WorkerLostError
from celery import Task
from celery.worker.request import Request

from bayerboard.lib.tasks import publish
from workers.names import worker_name

RELEASE_TASK = "workers.recover.release"


class WatchedRequest(Request):
    """A task in the hands of a child."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """Act as Celery does, and say whose child died."""
        super().on_failure(exc_info, send_failed_event, return_ok)
        error = exc_info.exception
        # The pool wraps the exceptions that it raises itself.
        error = getattr(error, "exc", error)
        if isinstance(error, WorkerLostError) and self.worker_pid:
            publish(RELEASE_TASK, worker=worker_name(int(self.worker_pid)))


class JobTask(Task):  # type: ignore[type-arg]
    """The base of the tasks that claim a job."""

    Request = "workers.deaths:WatchedRequest"
