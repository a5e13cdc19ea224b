"""Beat's round: nothing stays stuck after a death."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings

from bayerboard.lib.jobs import job_kinds
from bayerboard.operations import tallies
from bayerboard.operations.models import BEAT, EXPIRED_LEASES, Heartbeat, Tally
from workers.deaths import RELEASE_TASK

if TYPE_CHECKING:
    from bayerboard.lib.jobs import JobKind

logger = logging.getLogger(__name__)

# A hint too many finds an empty queue and costs a query. Bounded, and dropped after a round, so that a long queue in
# the database does not become a longer one in the broker.
WAKE_AT_MOST = 32


@shared_task(name="workers.recover.recover")
def recover() -> None:
    """Requeue jobs that lost their worker, and wake workers for queued ones: the broker may have forgotten them."""
    for kind in job_kinds():
        _count(kind, *kind.jobs.recover())
    _wake()
    tallies.advance()
    # Last, so that it says: a whole round was made.
    Heartbeat.beat(BEAT)


@shared_task(name=RELEASE_TASK)
def release(worker: str) -> None:
    """Take back at once the jobs of a worker process that has died."""
    for kind in job_kinds():
        _count(kind, *kind.jobs.release(worker))
    _wake()


def _count(kind: JobKind, requeued: int, failed: int) -> None:
    if requeued or failed:
        logger.warning("queue %s: %d put back, %d failed: their workers fell silent", kind.queue, requeued, failed)
        Tally.count_events(EXPIRED_LEASES, {kind.queue: {"requeued": requeued, "failed": failed}})


def _wake() -> None:
    for kind in job_kinds():
        kind.wake(WAKE_AT_MOST, settings.RECOVER_EVERY_S)
