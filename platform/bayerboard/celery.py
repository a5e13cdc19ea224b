"""The Celery application. A message is only a hint that wakes a worker; the database decides what is done."""

from __future__ import annotations

import os
from typing import Any, Self

from celery import Celery, signals
from celery.app.amqp import AMQP
from kombu import Connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bayerboard.settings")

from django.conf import settings
from structlog.contextvars import bind_contextvars, clear_contextvars

RECONNECT_AT_LEAST_EVERY_S = 3


class PromptConnection(Connection):
    """Looks for a broker that is away often, however long it was away.

    Celery's workers and beat wait two seconds longer after each attempt, up to half a minute, and no setting of theirs
    says otherwise.
    """

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Self:
        """Connect, as often as it takes: after 1, 2, 3, 3, 3 … seconds."""
        intervals = {"interval_start": 1, "interval_step": 1, "interval_max": RECONNECT_AT_LEAST_EVERY_S}
        super().ensure_connection(*args, **{**intervals, **kwargs})
        return self


class PromptAMQP(AMQP):
    """Celery's transport, with our connections."""

    Connection = PromptConnection


# Task → queue, of those that do not go to the default.
_queues: dict[str, str] = {}


def route_to_queue(task: str, queue: str) -> None:
    """Let a task go to a queue; each kind of job says so of its own (`bayerboard.lib.jobs`)."""
    _queues[task] = queue


def route(name: str, *_: Any, **__: Any) -> dict[str, str] | None:
    """Tell Celery a task's queue, by the time that it is sent: the kinds of jobs are registered after this module."""
    return {"queue": _queues[name]} if name in _queues else None


app = Celery("bayerboard", amqp=PromptAMQP)
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    # Never give up: by default a worker ends after a hundred attempts.
    broker_connection_max_retries=None,
    # A web request must not hang on a dead broker: the message is a hint, and beat repeats it.
    # One retry at once, and no more: kombu would otherwise try for seconds. Workers and beat, which do have to wait for
    # their broker, have their own loop for that (`broker_connection_retry_on_startup`).
    broker_transport_options={
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "visibility_timeout": 3600,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    },
    task_publish_retry=False,
    # Nobody waits for a result: the database holds it.
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # A child that has grown is replaced after its job, so that the next begins with most of the memory.
    worker_max_memory_per_child=settings.WORKER_MEMORY_MB * 1024 // 2 or None,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # After Celery's four seconds a child that a busy machine is slow to fork would be killed, again and again.
    worker_proc_alive_timeout=60,
    worker_hijack_root_logger=False,
    task_default_queue="default",
    task_routes=(route,),
    beat_schedule={
        "recover": {"task": "workers.recover.recover", "schedule": settings.RECOVER_EVERY_S},
        "sweep-uploads": {"task": "workers.sweep.sweep_uploads", "schedule": settings.SWEEP_EVERY_S},
        "settle": {"task": "workers.settle.settle_phases", "schedule": settings.SETTLE_EVERY_S},
        # It lists all of the storage.
        "sweep-storage": {"task": "workers.sweep.sweep_storage", "schedule": 3600},
        "mail": {"task": "workers.mails.send_mails", "schedule": settings.MAIL_EVERY_S},
    },
    beat_schedule_filename=str(settings.DATA_DIR / "celerybeat-schedule"),
    timezone="UTC",
    imports=(
        "workers.score",
        "workers.baseline",
        "workers.recover",
        "workers.sweep",
        "workers.settle",
        "workers.control",
        "workers.mails",
    ),
)


@signals.setup_logging.connect
def keep_our_logs(**_: Any) -> None:
    """Leave the logs to the settings: with a receiver here, Celery does not set up its own."""


@signals.task_prerun.connect
def bind_task(task_id: str, task: Any, **_: Any) -> None:
    """Add the task to every line that it logs."""
    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id)


@signals.task_postrun.connect
def unbind_task(**_: Any) -> None:
    clear_contextvars()
