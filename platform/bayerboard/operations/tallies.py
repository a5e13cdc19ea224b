"""Counts of everything that ever happened, at the cost of the last minutes.

Beat's round adds what is old enough to a `Tally`; whoever asks adds what came since, which an index finds. So every
web process gives the same answer, nothing is counted twice, and no question grows with the number of submissions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, Sum, Value
from django.db.models.functions import Concat
from django.utils import timezone

from bayerboard.lib.jobs import JobKind, job_kinds
from bayerboard.operations.models import Counts, Tally, add
from bayerboard.submissions.models import Submission
from bayerboard.teams.origin import Origin

# Rows this young are left to the next time: a transaction that began earlier may still add one, and the clock of a web
# machine may differ from another's.
SETTLED_AFTER = timedelta(minutes=10)
ADVANCE_EVERY = timedelta(minutes=1)
# Upper ends in seconds: from "at once" to "overnight", and from one small archive to a long baseline.
QUEUED_BUCKETS_S = (1, 5, 15, 60, 300, 1800, 7200, 43200)
RUNNING_BUCKETS_S = (1, 5, 15, 60, 300, 1800, 7200)

Between = Callable[[datetime | None, datetime | None], Counts]


def finished_jobs(kind: JobKind, after: datetime | None, until: datetime | None) -> Counts:
    """Count by group and status, as in `participant scored`."""
    return {f"{row.pop('group')} {row.pop('end')}": row for row in _finished(kind, after, until)}


def accepted_submissions(after: datetime | None, until: datetime | None) -> Counts:
    """Count submissions and the bytes of their archives; without trials, which can be deleted."""
    kept = Submission.objects.exclude(origin=Origin.TRIAL)
    rows = kept.filter(_between("submitted_at", after, until)).order_by()
    found = rows.aggregate(count=Count("pk"), bytes=Sum("archive_size_bytes", default=0))
    return {"accepted": found}


def sources() -> Mapping[str, Between]:
    """Return the functions that count, by the name of their tally.

    Another kind of job is registered beside its model; another thing to count (uploads, say) is a function here. Each
    is a family in `metrics`.
    """
    jobs = {kind.name: partial(finished_jobs, kind) for kind in job_kinds()}
    return {**jobs, "submissions": accepted_submissions}


def totals(source: str) -> Counts:
    """Return the counts of a source since the beginning."""
    tally = Tally.of(source)
    return add(tally.counts, sources()[source](tally.until, None))


def advance() -> None:
    """Add to the tallies the rows that are settled by now."""
    until = timezone.now() - SETTLED_AFTER
    for source, between in sources().items():
        tally = Tally.of(source)
        if tally.until is None or until - tally.until >= ADVANCE_EVERY:
            tally.advance(until, between(tally.until, until))


def _between(field: str, after: datetime | None, until: datetime | None) -> Q:
    condition = Q(**{f"{field}__isnull": False})
    if after is not None:
        condition &= Q(**{f"{field}__gt": after})
    if until is not None:
        condition &= Q(**{f"{field}__lte": until})
    return condition


def _finished(kind: JobKind, after: datetime | None, until: datetime | None) -> list[dict[str, Any]]:
    """Return count, images, claims and the two histograms of time for each group and end."""
    rows = (
        kind.jobs.filter(kind.counted, _between("finished_at", after, until))
        .annotate(
            group=kind.group(),
            # An expression and not the column: SQLite would take an index that has the groups in order, and read all
            # of it, over the one that has the few rows of these minutes.
            end=Concat("status", Value("")),
            queued=ExpressionWrapper(F("started_at") - F("queued_at"), output_field=DurationField()),
            running=ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField()),
        )
        .order_by()
        .values("group", "end")
        .annotate(
            count=Count("pk"),
            claimed=Count("started_at"),
            claims=Sum("attempts"),
            images=Sum("images_done"),
            queued_s=Sum("queued", default=timedelta()),
            running_s=Sum("running", default=timedelta()),
            **_buckets("queued", QUEUED_BUCKETS_S),
            **_buckets("running", RUNNING_BUCKETS_S),
        )
    )
    return [
        {name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in row.items()}
        for row in rows
    ]


def _buckets(duration: str, ends_s: tuple[int, ...]) -> dict[str, Count]:
    return {
        f"{duration}_le_{end}": Count("pk", filter=Q(**{f"{duration}__lte": timedelta(seconds=end)})) for end in ends_s
    }
