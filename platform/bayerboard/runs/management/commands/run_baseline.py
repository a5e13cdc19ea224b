"""Runs a baseline on a phase's inputs on the workers, and follows it until it stands on the board."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from baselines.catalogue import UnknownMethod, get_method
from bayerboard.challenges.access import find_phases
from bayerboard.challenges.audit import Act, record
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.lib.tasks import publish
from bayerboard.lib.templatetags.bayerboard_tags import score
from bayerboard.runs.models import BASELINE_TASK, BaselineRun, RunStatus

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from bayerboard.challenges.models import Phase

POLL_EVERY_S = 0.3
# Nobody took it for this long: say which worker it waits for.
PATIENCE_S = 30


class Command(BaseCommand):
    """`manage.py run_baseline METHOD CHALLENGE/TRACK/PHASE`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("method", help="name of a baseline, such as mosaic")
        parser.add_argument("phase", help="CHALLENGE/TRACK/PHASE")
        parser.add_argument(
            "--allow-cpu", action="store_true", help="let a worker without a GPU take it, if none with one does"
        )
        parser.add_argument("--no-wait", action="store_true", help="queue it and return")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            method, phase = get_method(options["method"]), _one_phase(options["phase"])
        except (UnknownMethod, LookupError) as unknown:
            raise CommandError(str(unknown)) from None
        protocol = phase.track.protocol.name
        if protocol not in method.protocols:
            raise CommandError(f"{method.name} does not serve {protocol}, only {', '.join(method.protocols)}.")
        if phase.input_set is None or phase.published_version is None:
            raise CommandError(f"{phase.path} needs inputs and a reference first: see manage.py create_challenge.")
        with transaction.atomic():
            run = BaselineRun.objects.create(method=method.name, phase=phase, allows_cpu=options["allow_cpu"])
            subject = f"phase {phase.path}"
            record(phase.track.challenge, None, Act.BASELINE_STARTED, subject, {}, {"method": method.name})
        if not publish(BASELINE_TASK, run_id=run.pk):
            self.stderr.write("The broker does not answer; the run starts as soon as it does (manage.py up).")
        if options["no_wait"]:
            self.stdout.write(f"Baseline run {run.pk} is queued.")
            return
        self._follow_run(run)
        self._follow_scoring(run)

    def _follow_run(self, run: BaselineRun) -> None:
        with tqdm(unit="image", desc=f"{run.method}: predict", file=sys.stderr, disable=None) as bar:
            patience_ends = time.monotonic() + PATIENCE_S
            while run.status in {RunStatus.QUEUED, RunStatus.RUNNING}:
                time.sleep(POLL_EVERY_S)
                run.refresh_from_db()
                if run.status == RunStatus.QUEUED and time.monotonic() > patience_ends:
                    patience_ends = math.inf
                    self.stderr.write(waits_for(run))
                bar.total = run.images_total or None
                bar.update(run.images_done - bar.n)
        if run.status == RunStatus.FAILED:
            raise CommandError(f"{run.method} failed: {run.failure}")

    def _follow_scoring(self, run: BaselineRun) -> None:
        assert run.submission is not None
        evaluation = run.submission.evaluation
        with tqdm(unit="image", desc=f"{run.method}: score", file=sys.stderr, disable=None) as bar:
            while not evaluation.is_final:
                time.sleep(POLL_EVERY_S)
                evaluation = Evaluation.objects.get(pk=evaluation.pk)
                bar.total = evaluation.images_total or None
                bar.update(evaluation.images_done - bar.n)
        if evaluation.status != Status.SCORED:
            codes = ", ".join(sorted({error["code"] for error in evaluation.errors}))
            raise CommandError(f"The predictions were {evaluation.status}: {codes or evaluation.failure}")
        texts = (
            (column, score(evaluation.metrics.get(column.key), column)) for column in run.phase.track.protocol.columns
        )
        scores = ", ".join(f"{column.label} {text} {column.unit}".strip() for column, text in texts)
        self.stdout.write(
            self.style.SUCCESS(f"{run.method} on {run.phase.path}: {scores} (submission {run.submission_id})")
        )


def waits_for(run: BaselineRun) -> str:
    """Say which worker could take a run that nobody takes, and what to do."""
    if not get_method(run.method).needs_torch:
        return "No worker has taken it yet. Does one of the queue “baseline” run? (manage.py up starts one.)"
    torch = "with the extra “baselines” (pip install '.[baselines]')"
    if run.allows_cpu:
        return f"No worker has taken it yet: it needs one of the queue “baseline” {torch}."
    return (
        f"No worker has taken it yet: it needs one of the queue “baseline” {torch} and an NVIDIA GPU. "
        "With --allow-cpu, one without a GPU takes it too."
    )


def _one_phase(path: str) -> Phase:
    if path.strip("/").count("/") != 2:
        raise LookupError(f"{path!r} is not CHALLENGE/TRACK/PHASE.")
    return find_phases(path)[0]
