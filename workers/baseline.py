"""Runs a baseline on a phase's inputs: its zip is then a submission like any other."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings

from baselines.equipment import equipment
from baselines.errors import BaselineError
from baselines.predict import predict
from baselines.tracks import TRACKS
from bayerboard.lib.leases import LeaseLost
from bayerboard.lib.logs import bound
from bayerboard.lib.storage import StorageUnavailable, object_store
from bayerboard.runs.models import BaselineRun, Measured
from workers.deaths import JobTask
from workers.names import worker_name
from workers.progress import Progress

if TYPE_CHECKING:
    from baselines.predict import PredictionReport

logger = logging.getLogger(__name__)


@shared_task(name="workers.baseline.run_baseline", base=JobTask)
def run_baseline(run_id: int) -> None:
    """Claim the run, predict, submit. A second worker that gets the same message finds it claimed."""
    possible = BaselineRun.objects.for_worker(**asdict(equipment()))
    if not possible.claim(run_id, worker_name()):
        return
    run = BaselineRun.objects.select_related("phase__track__challenge", "phase__input_set").get(pk=run_id)
    with bound(baseline_run=run.pk, method=run.method, attempt=run.attempts):
        _run_or_give_up(run)


def _run_or_give_up(run: BaselineRun) -> None:
    try:
        _predict_and_submit(run)
    except LeaseLost as lost:
        logger.warning("stopped, the claim is gone: %s", lost)
    except StorageUnavailable as error:
        run.give_back()
        logger.warning("baseline run %s: back to the queue, the storage does not answer: %s", run.pk, error)
    except BaselineError as error:
        run.give_up(reason=str(error))
        logger.warning("baseline run %s: %s", run.pk, error)
    except Exception:
        reference = run.give_up()
        logger.exception("baseline run %s failed, reference %s", run.pk, reference)


def _predict_and_submit(run: BaselineRun) -> None:
    input_set = run.phase.input_set
    if input_set is None:
        raise BaselineError(f"{run.phase.path} has no inputs to predict from.")
    track = next((name for name, track in TRACKS.items() if track.protocol == run.phase.track.protocol.name), None)
    if track is None:
        raise BaselineError(f"{run.method} does not serve the protocol {run.phase.track.protocol.name}.")
    progress = Progress(run.show_progress)
    fetching = partial(progress, 0, len(input_set.names))
    settings.UPLOAD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        tempfile.TemporaryDirectory(dir=settings.UPLOAD_DIR) as folder,
        object_store().local_copy(input_set.storage_key, fetching) as inputs,
    ):
        output = Path(folder) / f"{run.method}-{run.phase.slug}.zip"
        report = predict(run.method, track, inputs, output, on_progress=progress)
        submission = run.submit(output, _measured(report))
    logger.info("baseline run %s: submission %s", run.pk, submission.pk)


def _measured(report: PredictionReport) -> Measured:
    return Measured(
        runtime_s=report.runtime_s_per_image,
        device=report.device,
        device_name=report.device_name,
        parameters=report.parameters,
        macs=report.macs_per_image,
    )
