"""Scores queued evaluations: claims the next evaluation, hands it to scoring, stores the result."""

from __future__ import annotations

import hashlib
import logging
import platform
import socket
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from celery import shared_task
from celery.signals import celeryd_after_setup
from django.conf import settings
from django.utils import timezone

import scoring
from bayerboard.evaluations.models import EVALUATIONS, Evaluation
from bayerboard.lib.embedded import make_data_dir
from bayerboard.lib.leases import OUT_OF_MEMORY, LeaseLost
from bayerboard.lib.logs import bound
from bayerboard.lib.storage import StorageUnavailable, object_store
from bayerboard.results.recording import record_rejection, record_score
from scoring.cache import ReferenceCache
from scoring.engine import score_archive
from scoring.metrics import fast
from scoring.problems import SubmissionRejected
from scoring.reference import Reference
from workers.deaths import JobTask
from workers.limits import Watchdog, memory_bound
from workers.names import worker_name
from workers.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)


@shared_task(name="workers.score.score_next", base=JobTask)
def score_next() -> None:
    """Claim and score one evaluation. The message that started this is a hint: the database chooses which."""
    warm_up()
    evaluation = Evaluation.objects.claim_next(worker_name())
    if evaluation is None:
        return
    with bound(submission=evaluation.submission_id, evaluation=evaluation.pk, attempt=evaluation.attempts):
        _score_or_give_up(evaluation)


def _score_or_give_up(evaluation: Evaluation) -> None:
    limit_s = evaluation.submission.entry.phase.time_limit_s
    try:
        with Watchdog(settings.LEASE_S, limit_s) as watchdog, memory_bound(settings.WORKER_MEMORY_MB):
            _score(evaluation, watchdog)
    except LeaseLost as lost:
        # Cancelled, or taken over after a long silence: its present holder writes the result. Or out of time, which
        # is told at once rather than at beat's next round.
        Evaluation.objects.recover()
        logger.warning("submission %s: stopped, the claim is gone: %s", evaluation.submission_id, lost)
    except StorageUnavailable as error:
        evaluation.give_back()
        logger.warning(
            "submission %s: back to the queue, the storage does not answer: %s", evaluation.submission_id, error
        )
    except MemoryError:
        # The same archive would need the same again.
        evaluation.give_up(code=OUT_OF_MEMORY)
        logger.exception("submission %s: more than %d MB", evaluation.submission_id, settings.WORKER_MEMORY_MB)
    except Exception:
        # The fault is ours, not the archive's: it is logged whole, and the evaluation goes on or fails with a reason.
        reference = evaluation.give_up()
        logger.exception("submission %s: scoring failed, reference %s", evaluation.submission_id, reference)


@cache
def warm_up() -> None:
    """Load, or compile, the metrics' loops: once in a process, before a lease runs and memory is bounded.

    A compiler that gets no memory does not say so: it hangs.
    """
    image = np.zeros((32, 32, 4), np.uint16)
    # As images from a file are: for others, the loops are compiled anew.
    image.setflags(write=False)
    for metric in ("psnr", "ssim"):
        fast.measure(metric, image, image, data_range=1.0)


@celeryd_after_setup.connect
def warm_up_before_children_are_forked(instance: Any, **signal: Any) -> None:
    """Spare every child of a worker that scores the seconds of `warm_up`: after a death, another takes over at once."""
    if EVALUATIONS.queue in instance.app.amqp.queues.consume_from:
        warm_up()


def _score(evaluation: Evaluation, watchdog: Watchdog) -> None:
    submission, scoring_version = evaluation.submission, evaluation.scoring_version
    store, protocol, reference_set = object_store(), scoring_version.protocol, scoring_version.reference_set
    progress = Progress(partial(_show_progress, evaluation, watchdog))
    fetching = partial(progress, 0, len(reference_set.manifest_data))
    with (
        store.local_copy(submission.archive_key, fetching) as archive,
        store.local_copy(reference_set.storage_key, fetching) as reference_path,
        Reference.open(reference_path, protocol) as reference,
    ):
        archive_sha256 = _sha256(archive)
        provenance = _provenance(evaluation, archive_sha256)
        try:
            report = score_archive(
                archive,
                reference,
                protocol,
                name=submission.archive_name,
                on_progress=progress,
                cache=_reference_cache(),
            )
        except SubmissionRejected as rejection:
            record_rejection(evaluation, rejection, archive_sha256, provenance)
            logger.info("submission %s: rejected, %d problems", submission.pk, len(rejection.errors))
        else:
            record_score(evaluation, report, archive_sha256, provenance)
            logger.info("submission %s: scored %d images", submission.pk, len(report.images))


def _reference_cache() -> ReferenceCache | None:
    """Return the cache of references that this machine's worker processes share; None where the settings allow none."""
    if not settings.REFERENCE_CACHE_BYTES:
        return None
    # Only its owner may read it: it holds hidden references.
    folder = make_data_dir(settings.REFERENCE_CACHE_DIR) / "images"
    return ReferenceCache(folder, settings.REFERENCE_CACHE_BYTES)


def _show_progress(evaluation: Evaluation, watchdog: Watchdog, done: int, total: int) -> None:
    evaluation.show_progress(done, total)
    watchdog.extend()


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _provenance(evaluation: Evaluation, archive_sha256: str) -> dict[str, Any]:
    """Return the provenance of the scores: everything that had a part in them."""
    scoring_version = evaluation.scoring_version
    return {
        "archive_sha256": archive_sha256,
        "reference_version": scoring_version.reference_set.version,
        "reference_manifest_sha256": scoring_version.reference_set.manifest_sha256,
        "protocol": scoring_version.protocol.name,
        "protocol_sha256": scoring_version.protocol_sha256,
        "scorer_version": scoring.SCORER_VERSION,
        "bayerboard": scoring.__version__,
        "libraries": {name: version(name) for name in ("numpy", "numba", "llvmlite", "scipy", "isal")},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "worker": evaluation.worker,
        "host": socket.gethostname(),
        "attempt": evaluation.attempts,
        "scored_at": timezone.now().isoformat(timespec="seconds"),
    }
