"""Runs of the baselines that ship with Bayerboard."""

from __future__ import annotations

import uuid
from contextlib import suppress
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from baselines.catalogue import get_method
from bayerboard.challenges.models import Phase
from bayerboard.lib.leases import LeasedJob, LeasedJobQuerySet, LeaseLost, lease_end
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import Sent, submit
from bayerboard.teams.models import Team

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.challenges.models import Challenge

BASELINE_TASK = "workers.baseline.run_baseline"
FAILURE_LENGTH = 300


class RunStatus(models.TextChoices):
    """Where a baseline run stands."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUBMITTED = "submitted", "submitted"
    FAILED = "failed", "failed"


class BaselineRunQuerySet(LeasedJobQuerySet["BaselineRun"]):
    """The queue of baseline runs."""

    def unfinished(self) -> BaselineRunQuerySet:
        return self.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])

    def recover(self) -> tuple[int, int]:
        """Put runs whose lease ran out back in the queue, or fail them after the last attempt."""
        exhausted = self.expired().filter(attempts__gte=settings.MAX_ATTEMPTS)
        failed = exhausted.update(
            status=RunStatus.FAILED,
            finished_at=Now(),
            lease_until=None,
            failure="It stopped without progress.",
        )
        # The limit again: a lease may run out between the two.
        requeued = (
            self.expired()
            .filter(attempts__lt=settings.MAX_ATTEMPTS)
            .update(status=RunStatus.QUEUED, lease_until=None, worker="", images_done=0)
        )
        return requeued, failed


class BaselineRun(LeasedJob):
    """One prediction of one method on a phase's inputs, which ends as a submission like any other."""

    method = models.CharField(max_length=40)
    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="baseline_runs")
    submission = models.OneToOneField(
        Submission, on_delete=models.PROTECT, related_name="baseline_run", null=True, editable=False
    )
    failure = models.CharField(max_length=FAILURE_LENGTH, blank=True, editable=False)

    objects = models.Manager.from_queryset(BaselineRunQuerySet)()

    def __str__(self) -> str:
        return f"{self.method} on {self.phase}"

    @property
    def idempotency_key(self) -> str:
        """A run that is taken over after it submitted finds its submission again."""
        return f"baseline-run-{self.pk}"

    def show_progress(self, done: int, total: int) -> None:
        """Write how many images are done, and extend the lease; LeaseLost if it is no longer ours."""
        held = BaselineRun.objects.held(self.pk, self.fence)
        if not held.update(images_done=done, images_total=total, lease_until=lease_end()):
            raise LeaseLost(f"baseline run {self.pk}, fence {self.fence}")

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

    def end(self, status: RunStatus, **fields: Any) -> None:
        """Leave the running state, only if the lease still holds."""
        values = {"finished_at": Now(), **fields, "status": status, "lease_until": None}
        if not BaselineRun.objects.held(self.pk, self.fence).update(**values):
            raise LeaseLost(f"baseline run {self.pk}, fence {self.fence}")

    def give_up(self, reason: str = "") -> str:
        """Back to the queue, or failed after the last attempt or for a reason that another attempt cannot change."""
        reference = uuid.uuid4().hex[:10]
        # Whoever took the run over in the meantime decides what becomes of it.
        with suppress(LeaseLost):
            if self.attempts < settings.MAX_ATTEMPTS and not reason:
                self.end(RunStatus.QUEUED, finished_at=None, worker="", images_done=0)
            else:
                failure = reason or f"Something went wrong on our side (reference {reference})."
                self.end(RunStatus.FAILED, failure=failure[:FAILURE_LENGTH])
        return reference


def baseline_team(challenge: Challenge, title: str) -> Team:
    """Return the team that a baseline competes as.

    People who took the title as their team's name before there was a baseline of that name keep it, and their rows.
    """
    names = chain([title], (f"{title} (baseline {number})" for number in count(1)))
    teams = (
        Team.objects.get_or_create(challenge=challenge, name=name, defaults={"is_baseline": True})[0] for name in names
    )
    return next(team for team in teams if team.is_baseline)
