"""Jobs that a worker claims from the database: a conditional update, a lease, a fencing number.

A message only wakes a worker. Who works on a row is decided by one UPDATE that must change exactly one row, so that
it holds on SQLite (which has no row locks) as on PostgreSQL. The lease runs on the database's clock; only progress
extends it, so that a hung worker loses its job too. The fencing number tells a late twin from the present owner.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import DateTimeField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils import timezone

Job = TypeVar("Job", bound="LeasedJob")

QUEUED, RUNNING, FAILED = "queued", "running", "failed"


class LeaseLost(Exception):
    """The job belongs to somebody else by now, or was cancelled: stop, and write nothing."""


def lease_end() -> ExpressionWrapper[Any]:
    """Return the moment, on the database's clock, when a lease that is taken now runs out."""
    lease = timedelta(seconds=settings.LEASE_S)
    return ExpressionWrapper(Now() + lease, output_field=DateTimeField())


class LeasedJobQuerySet(models.QuerySet[Job]):
    """The moves of a job that need no knowledge of what the job is."""

    def claim(self, pk: int, worker: str) -> bool:
        """Move one job from queued to running; False if somebody else was first."""
        return (
            self.filter(pk=pk, status=QUEUED).update(
                status=RUNNING,
                worker=worker,
                fence=F("fence") + 1,
                attempts=F("attempts") + 1,
                started_at=Now(),
                lease_until=lease_end(),
            )
            == 1
        )

    def held(self, pk: int, fence: int) -> Self:
        """Keep the job only while this claim still holds it."""
        return self.filter(pk=pk, status=RUNNING, fence=fence, lease_until__gt=Now())

    def expired(self) -> Self:
        """Keep the jobs whose worker showed no progress in time."""
        return self.filter(status=RUNNING, lease_until__lte=Now())


class LeasedJob(models.Model):
    """The columns of a claim."""

    status = models.CharField(max_length=10, default=QUEUED, db_index=True, editable=False)
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    worker = models.CharField(max_length=120, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    images_done = models.PositiveIntegerField(default=0, editable=False)
    images_total = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def progress_percent(self) -> int:
        return 100 * self.images_done // self.images_total if self.images_total else 0
