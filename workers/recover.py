"""Beat's round: nothing stays stuck, whatever died."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from bayerboard.evaluations.models import SCORE_TASK, Evaluation
from bayerboard.lib.tasks import publish
from bayerboard.methods.models import BASELINE_TASK, BaselineRun, RunStatus
from workers.deaths import RELEASE_TASK

logger = logging.getLogger(__name__)

# A hint too many finds an empty queue and costs a query. Bounded, and dropped after a round, so that a long queue in
# the database does not become a longer one in the broker.
WAKE_AT_MOST = 32


@shared_task(name="workers.recover.recover")
def recover() -> None:
    """Requeue what lost its worker, and wake workers for what is queued: the broker may have forgotten it."""
    for queue in (Evaluation.objects, BaselineRun.objects):
        _log(queue.model.__name__, *queue.recover())
    _wake()


@shared_task(name=RELEASE_TASK)
def release(worker: str) -> None:
    """Take back at once what a worker process held that has died."""
    for queue in (Evaluation.objects, BaselineRun.objects):
        _log(queue.model.__name__, *queue.release(worker))
    _wake()


def _log(what: str, requeued: int, failed: int) -> None:
    if requeued or failed:
        logger.warning("%s: %d put back in the queue, %d failed", what, requeued, failed)


def _wake() -> None:
    for _ in range(Evaluation.objects.queued()[:WAKE_AT_MOST].count()):
        publish(SCORE_TASK, expires_s=settings.RECOVER_EVERY_S)
    for pk in BaselineRun.objects.filter(status=RunStatus.QUEUED).values_list("pk", flat=True)[:WAKE_AT_MOST]:
        publish(BASELINE_TASK, expires_s=settings.RECOVER_EVERY_S, run_id=pk)
