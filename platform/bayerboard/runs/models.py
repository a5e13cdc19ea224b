"""Runs of the baselines that ship with Bayerboard."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now
from django.utils import timezone

from baselines.catalogue import METHODS, get_method
from bayerboard.challenges.models import Phase
from bayerboard.lib.jobs import JobKind, register
from bayerboard.lib.leases import DIED, INTERNAL, STALLED, LeasedJob, LeasedJobQuerySet
from bayerboard.submissions.models import FactSheetRevision, Submission
from bayerboard.submissions.submit import Sent, submit
from bayerboard.teams.models import Team
from bayerboard.teams.origin import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.challenges.models import Challenge

BASELINE_TASK = "workers.baseline.run_baseline"
# In words for organisers, who start these runs.
FAILURES = {
    STALLED: "It stopped without progress.",
    DIED: "The process that ran it died, probably for lack of memory.",
    INTERNAL: "Something went wrong on our side (reference {reference}).",
}
# So long a run that would profit from a GPU waits for one, before a worker without takes it where that is allowed.
GPU_FIRST = timedelta(seconds=10)


class RunStatus(models.TextChoices):
    """Where a baseline run stands."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUBMITTED = "submitted", "submitted"
    FAILED = "failed", "failed"


class BaselineRunQuerySet(LeasedJobQuerySet["BaselineRun"]):
    """The queue of baseline runs."""

    def for_worker(self, *, has_torch: bool, has_gpu: bool) -> Self:
        """Keep what a worker may take: one with a GPU everything, one without what needs none, or may do without."""
        if has_torch and has_gpu:
            return self
        # Of a method that nobody knows, any worker may say so.
        possible = ~Q(method__in=[method.name for method in METHODS if method.needs_torch])
        if has_torch:
            waited = ExpressionWrapper(Now() - GPU_FIRST, output_field=DateTimeField())
            possible |= Q(allows_cpu=True, queued_at__lte=waited)
        return self.filter(possible)


class BaselineRun(LeasedJob):
    """One prediction of one method on a phase's inputs, which ends as a submission like any other."""

    method = models.CharField(max_length=40)
    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="baseline_runs")
    allows_cpu = models.BooleanField(
        "may run without a GPU", default=False, help_text="A worker with a GPU still takes it first."
    )
    submission = models.OneToOneField(
        Submission, on_delete=models.PROTECT, related_name="baseline_run", null=True, editable=False
    )

    objects = models.Manager.from_queryset(BaselineRunQuerySet)()

    def __str__(self) -> str:
        return f"{self.method} on {self.phase}"

    def failure_text(self, code: str, reference: str = "") -> str:
        return FAILURES.get(code, FAILURES[INTERNAL]).format(reference=reference)

    @property
    def idempotency_key(self) -> str:
        """A run that is taken over after it submitted finds its submission again."""
        return f"baseline-run-{self.pk}"

    def submit(self, archive: Path, measured: Measured) -> Submission:
        """Send the predictions as the baseline's own team, with what was measured; only while the claim holds."""
        total = len(self.phase.manifest.files)
        self.show_progress(total, total)
        method = get_method(self.method)
        team = baseline_team(self.phase.track.challenge, method.title)
        sent = Sent(
            archive=archive,
            archive_name=archive.name,
            method_name=method.name,
            description=method.summary,
            idempotency_key=self.idempotency_key,
            opened_at=timezone.now(),
        )
        submission = submit(self.phase, team, None, sent, origin=Origin.BASELINE)
        Measurement.objects.update_or_create(submission=submission, defaults=asdict(measured))
        self.end(RunStatus.SUBMITTED, submission=submission)
        return submission


BASELINE_RUNS = register(
    JobKind(
        name="baseline runs",
        model=BaselineRun,
        task=BASELINE_TASK,
        queue="baseline",
        label="baseline runs",
        groups={"baseline": Q()},
        key_argument="run_id",
        is_optional=True,
    )
)


@dataclass(frozen=True)
class Measured:
    """What the worker measured of a method while it predicted."""

    runtime_s: float
    device: str
    device_name: str
    parameters: int | None
    macs: int | None


class Measurement(models.Model):
    """What was measured of a submission, as against what its fact sheet declares."""

    submission = models.OneToOneField(Submission, on_delete=models.CASCADE, related_name="measurement")
    runtime_s = models.FloatField("runtime per image [s]")
    device = models.CharField(max_length=3, choices=FactSheetRevision.Device.choices)
    device_name = models.CharField(max_length=120)
    parameters = models.PositiveBigIntegerField(null=True)
    macs = models.PositiveBigIntegerField("multiply–accumulate operations per image", null=True)
    measured_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"measurement of submission {self.submission_id}"


def baseline_team(challenge: Challenge, title: str) -> Team:
    """Return the team that a baseline competes as."""
    return Team.objects.get_or_make(challenge, title, Team.Kind.BASELINE)
