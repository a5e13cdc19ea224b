"""Runs of the baselines that ship with Bayerboard."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from baselines.catalogue import get_method
from bayerboard.challenges.models import Phase
from bayerboard.lib.leases import DIED, INTERNAL, STALLED, LeasedJob, LeasedJobQuerySet
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import Sent, submit
from bayerboard.teams.models import Team

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


class RunStatus(models.TextChoices):
    """Where a baseline run stands."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUBMITTED = "submitted", "submitted"
    FAILED = "failed", "failed"


class BaselineRunQuerySet(LeasedJobQuerySet["BaselineRun"]):
    """The queue of baseline runs."""


class BaselineRun(LeasedJob):
    """One prediction of one method on a phase's inputs, which ends as a submission like any other."""

    method = models.CharField(max_length=40)
    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="baseline_runs")
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

    def submit(self, archive: Path) -> Submission:
        """Send the predictions as the baseline's own team; only while the claim holds."""
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
        submission = submit(self.phase, team, None, sent)
        self.end(RunStatus.SUBMITTED, submission=submission)
        return submission


def baseline_team(challenge: Challenge, title: str) -> Team:
    """Return the team that a baseline competes as.

    People who took the title as their team's name before there was a baseline of that name keep it, and their rows.
    """
    names = chain([title], (f"{title} (baseline {number})" for number in count(1)))
    teams = (
        Team.objects.get_or_create(challenge=challenge, name=name, defaults={"is_baseline": True})[0] for name in names
    )
    return next(team for team in teams if team.is_baseline)
