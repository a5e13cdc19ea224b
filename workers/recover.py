"""Beat's round: nothing stays stuck, whatever died."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings

from bayerboard.evaluations.models import SCORE_TASK, Evaluation
from bayerboard.lib.tasks import publish
from bayerboard.operations import tallies
from bayerboard.operations.models import BEAT, EXPIRED_LEASES, Heartbeat, Tally
from bayerboard.runs.models import BASELINE_TASK, BaselineRun, RunStatus
from workers.deaths import RELEASE_TASK

if TYPE_CHECKING:
    from bayerboard.lib.leases import LeasedJob

logger = logging.getLogger(__name__)

# A hint too many finds an empty queue and costs a query. Bounded, and dropped after a round, so that a long queue in
# the database does not become a longer one in the broker.
WAKE_AT_MOST = 32


@shared_task(name="workers.recover.recover")
def recover() -> None:
    """Requeue what lost its worker, and wake workers for what is queued: the broker may have forgotten it."""
    for queue in (Evaluation.objects, BaselineRun.objects):
        _count(queue.model, *queue.recover())
    _wake()
    tallies.advance()
    # Last, so that it says: a whole round was made.
    Heartbeat.beat(BEAT)


@shared_task(name=RELEASE_TASK)
def release(worker: str) -> None:
    """Take back at once what a worker process held that has died."""
    for queue in (Evaluation.objects, BaselineRun.objects):
        _count(queue.model, *queue.release(worker))
    _wake()


def _count(model: type[LeasedJob], requeued: int, failed: int) -> None:
    if requeued or failed:
        name = "score" if model is Evaluation else "baseline"
        logger.warning("queue %s: %d put back, %d failed: their workers fell silent", name, requeued, failed)
        Tally.count_events(EXPIRED_LEASES, {name: {"requeued": requeued, "failed": failed}})


def _wake() -> None:
    for _ in range(Evaluation.objects.queued()[:WAKE_AT_MOST].count()):
        publish(SCORE_TASK, expires_s=settings.RECOVER_EVERY_S)
    for pk in BaselineRun.objects.filter(status=RunStatus.QUEUED).values_list("pk", flat=True)[:WAKE_AT_MOST]:
        publish(BASELINE_TASK, expires_s=settings.RECOVER_EVERY_S, run_id=pk)
