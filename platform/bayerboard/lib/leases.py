"""Jobs that a worker claims from the database: a conditional update, a lease, a fencing number.

A message only wakes a worker. Who works on a row is decided by one UPDATE that must change exactly one row, so that
it holds on SQLite (which has no row locks) as on PostgreSQL. The lease runs on the database's clock; only progress
extends it, so that a hung worker loses its job too. The fencing number tells a late twin from the present owner.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import DateTimeField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils import timezone

Job = TypeVar("Job", bound="LeasedJob")

QUEUED, RUNNING, FAILED = "queued", "running", "failed"
FAILURE_LENGTH = 300


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
                failure="",
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

    def unfinished(self) -> Self:
        """Keep what is queued or running."""
        return self.filter(status__in=[QUEUED, RUNNING])

    def recover(self) -> tuple[int, int]:
        """Put jobs whose lease ran out back in the queue, or fail them after the last attempt; count both."""
        failed = (
            self.expired()
            .filter(attempts__gte=settings.MAX_ATTEMPTS)
            .update(status=FAILED, finished_at=Now(), lease_until=None, failure=self.model.stalled_text())
        )
        # The limit again: a lease may run out between the two.
        requeued = (
            self.expired()
            .filter(attempts__lt=settings.MAX_ATTEMPTS)
            .update(status=QUEUED, lease_until=None, worker="", images_done=0)
        )
        return requeued, failed


class LeasedJob(models.Model):
    """The columns of a claim, and what the worker that holds it may do."""

    # What a reader is told when it failed; {attempts} and {reference} are filled in.
    STALLED_TEXT: ClassVar[str]
    INTERNAL_TEXT: ClassVar[str]
    WAITING_TEXT = "The storage does not answer at the moment. It is tried again by itself, and nothing is lost."

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
    failure = models.CharField(max_length=FAILURE_LENGTH, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def progress_percent(self) -> int:
        return 100 * self.images_done // self.images_total if self.images_total else 0

    @classmethod
    def stalled_text(cls) -> str:
        """Say why a job failed whose workers fell silent one after the other."""
        return cls.STALLED_TEXT.format(attempts=settings.MAX_ATTEMPTS)

    def show_progress(self, done: int, total: int) -> None:
        """Write how many images are done, and extend the lease; LeaseLost if it is no longer ours."""
        self._update_held(images_done=done, images_total=total, lease_until=lease_end())

    def end(self, status: str, **fields: Any) -> None:
        """Leave the running state, only if the lease still holds; LeaseLost, and nothing written, otherwise."""
        self._update_held(**{"finished_at": Now(), **fields, "status": status, "lease_until": None})

    def give_up(self, reason: str = "") -> str:
        """Go back to the queue, or fail: after the last attempt, or for a reason that no other attempt can change.

        Return the reference number for the log.
        """
        reference = uuid.uuid4().hex[:10]
        # Whoever took the job over in the meantime decides what becomes of it.
        with suppress(LeaseLost):
            if self.attempts < settings.MAX_ATTEMPTS and not reason:
                self.end(QUEUED, finished_at=None, worker="", images_done=0)
            else:
                failure = reason or self.INTERNAL_TEXT.format(reference=reference)
                self.end(FAILED, failure=failure[:FAILURE_LENGTH])
        return reference

    def give_back(self) -> None:
        """Go back to the queue without an attempt lost: what the job needs does not answer at the moment.

        Nobody is woken for it: beat's next round does that, which is the pause between two tries.
        """
        with suppress(LeaseLost):
            self.end(
                QUEUED,
                finished_at=None,
                worker="",
                images_done=0,
                attempts=F("attempts") - 1,
                failure=self.WAITING_TEXT,
            )

    def _update_held(self, **fields: Any) -> None:
        if not LeasedJobQuerySet(type(self)).held(self.pk, self.fence).update(**fields):
            raise LeaseLost(f"{self._meta.verbose_name} {self.pk}, fence {self.fence}")
