"""Jobs that a worker claims from the database: a conditional update, a lease, a fencing number.

A message only wakes a worker. Who works on a row is decided by one UPDATE that must change exactly one row, so that
it holds on SQLite (which has no row locks) as on PostgreSQL. The lease runs on the database's clock; only progress
extends it, so that a hung worker loses its job too. The fencing number tells a late twin from the present owner.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.functions import Now
from django.utils import timezone

Job = TypeVar("Job", bound="LeasedJob")

QUEUED, RUNNING, FAILED = "queued", "running", "failed"
FAILURE_LENGTH = 300

# Why a job failed: codes of the catalogue, or of a model's own words.
INTERNAL = "internal-error"
STALLED = "worker-stalled"
DIED = "worker-died"
OUT_OF_TIME = "time-limit-reached"
OUT_OF_MEMORY = "memory-limit-reached"


class LeaseLost(Exception):
    """The job belongs to somebody else by now, or was cancelled: stop, and write nothing."""


def in_seconds(seconds: int) -> ExpressionWrapper[Any]:
    """Return the moment, on the database's clock, that is so far away."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def lease_end() -> ExpressionWrapper[Any]:
    """Return when a lease that is taken now runs out."""
    return in_seconds(settings.LEASE_S)


# Whatever progress it shows: a job that has a time limit is over when that is.
OVERDUE = Q(deadline_at__lte=Now())
IN_TIME = Q(deadline_at=None) | Q(deadline_at__gt=Now())


class LeasedJobQuerySet(models.QuerySet[Job]):
    """The moves of a job that need no knowledge of what the job is."""

    def claim(self, pk: int, worker: str, time_limit_s: int | None = None) -> bool:
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
                deadline_at=None if time_limit_s is None else in_seconds(time_limit_s),
            )
            == 1
        )

    def held(self, pk: int, fence: int) -> Self:
        """Keep the job only while this claim still holds it."""
        return self.filter(IN_TIME, pk=pk, status=RUNNING, fence=fence, lease_until__gt=Now())

    def running(self) -> Self:
        """Keep what a worker has claimed."""
        return self.filter(status=RUNNING)

    def unfinished(self) -> Self:
        """Keep what is queued or running."""
        return self.filter(status__in=[QUEUED, RUNNING])

    def recover(self) -> tuple[int, int]:
        """Take jobs from workers that showed no progress in time, or none fast enough; count the queued and failed."""
        failed = self.running().filter(OVERDUE).fail(OUT_OF_TIME)
        requeued, stalled = self.running().filter(lease_until__lte=Now()).take_back(STALLED)
        return requeued, failed + stalled

    def release(self, worker: str) -> tuple[int, int]:
        """Take back at once what a worker process held that has died; count the queued and the failed."""
        held = self.running().filter(worker=worker)
        # Killed by its watchdog, it was out of time, or had shown no progress.
        requeued, failed = held.recover()
        torn_away, died = held.take_back(DIED)
        return requeued + torn_away, failed + died

    def take_back(self, code: str) -> tuple[int, int]:
        """Put these running jobs back in the queue, or fail them after the last attempt; count both."""
        failed = self.filter(attempts__gte=settings.MAX_ATTEMPTS).fail(code)
        # The limit again: a lease may run out between the two.
        requeued = self.filter(attempts__lt=settings.MAX_ATTEMPTS).update(
            status=QUEUED, lease_until=None, deadline_at=None, worker="", images_done=0
        )
        return requeued, failed

    def fail(self, code: str) -> int:
        """Fail these running jobs, each with all that follows from it in one transaction; count them."""
        failed = 0
        for job in self.order_by("pk"):
            ended = {"status": FAILED, "finished_at": Now(), "lease_until": None}
            told = {"failure_code": code, "failure": job.failure_text(code)[:FAILURE_LENGTH]}
            with transaction.atomic():
                # The conditions again: it may have been finished, or failed by another round, since it was read.
                if self.filter(pk=job.pk).update(**ended, **told):
                    job.refresh_from_db()
                    job.ended()
                    failed += 1
        return failed


class LeasedJob(models.Model):
    """The columns of a claim, and what the worker that holds it may do."""

    WAITING_TEXT = "The storage does not answer at the moment. It is tried again by itself, and nothing is lost."

    status = models.CharField(max_length=10, default=QUEUED, db_index=True, editable=False)
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    # An index for those who count what happened lately.
    finished_at = models.DateTimeField(null=True, editable=False, db_index=True)
    worker = models.CharField(max_length=120, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    deadline_at = models.DateTimeField(null=True, editable=False, help_text="No progress extends the lease beyond it.")
    images_done = models.PositiveIntegerField(default=0, editable=False)
    images_total = models.PositiveIntegerField(default=0, editable=False)
    failure_code = models.CharField(max_length=40, blank=True, editable=False)
    failure = models.CharField(max_length=FAILURE_LENGTH, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def progress_percent(self) -> int:
        return 100 * self.images_done // self.images_total if self.images_total else 0

    def failure_text(self, code: str, reference: str = "") -> str:
        """Say to a reader why the job failed, and what to do."""
        raise NotImplementedError

    def ended(self) -> None:
        """Do what must happen together with the end, in its transaction; `self` has the new status."""

    def show_progress(self, done: int, total: int) -> None:
        """Write how many images are done, and extend the lease; LeaseLost if it is no longer ours."""
        self._update_held(images_done=done, images_total=total, lease_until=lease_end())

    def end(self, status: str, **fields: Any) -> None:
        """Leave the running state for good, if the lease still holds; LeaseLost, and nothing written, otherwise."""
        with transaction.atomic():
            self._update_held(**{"finished_at": Now(), **fields, "status": status, "lease_until": None})
            self.refresh_from_db(fields=["status", "finished_at", *fields])
            self.ended()

    def give_up(self, reason: str = "", code: str = INTERNAL) -> str:
        """Go back to the queue, or fail: after the last attempt, or where no other attempt can change anything.

        That is so with a `reason` in words, and with a `code` other than that of an internal error. Return the
        reference number for the log.
        """
        reference = uuid.uuid4().hex[:10]
        is_final = bool(reason) or code != INTERNAL or self.attempts >= settings.MAX_ATTEMPTS
        # Whoever took the job over in the meantime decides what becomes of it.
        with suppress(LeaseLost):
            if is_final:
                failure = reason or self.failure_text(code, reference)
                self.end(FAILED, failure=failure[:FAILURE_LENGTH], failure_code=code)
            else:
                self._update_held(status=QUEUED, lease_until=None, deadline_at=None, worker="", images_done=0)
        return reference

    def give_back(self) -> None:
        """Go back to the queue without an attempt lost: what the job needs does not answer at the moment.

        Nobody is woken for it: beat's next round does that, which is the pause between two tries.
        """
        with suppress(LeaseLost):
            self._update_held(
                status=QUEUED,
                lease_until=None,
                deadline_at=None,
                worker="",
                images_done=0,
                attempts=F("attempts") - 1,
                failure=self.WAITING_TEXT,
            )

    def _update_held(self, **fields: Any) -> None:
        if not LeasedJobQuerySet(type(self)).held(self.pk, self.fence).update(**fields):
            raise LeaseLost(f"{self._meta.verbose_name} {self.pk}, fence {self.fence}")
