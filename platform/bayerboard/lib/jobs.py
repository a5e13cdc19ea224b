"""The kinds of jobs that workers claim.

Each model registers its own; recovery, metrics, doctor and the tasks' queues go through what is registered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Q, Value, When

from bayerboard.celery import route_to_queue
from bayerboard.lib.leases import QUEUED, LeasedJobQuerySet
from bayerboard.lib.tasks import publish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayerboard.lib.leases import LeasedJob


@dataclass(frozen=True)
class JobKind:
    """A model whose rows workers claim, and all that the rest of the site must know of it."""

    # Also the name of its tally: those of running sites are stored under it.
    name: str
    model: type[LeasedJob]
    task: str
    queue: str
    # What waits where nobody works: "submissions stay queued".
    label: str
    # How metrics tell its jobs apart: the label `kind`, and the condition of the rows that it stands for. Each row is
    # in exactly one group.
    groups: Mapping[str, Q]
    # The rows that are counted once they are over: all but those that can be deleted, since a count that falls is read
    # as one that began anew.
    counted: Q = field(default_factory=Q)
    # The argument by which the task takes one job's key; empty where the database chooses the job.
    key_argument: str = ""
    # A site may do without a worker for it.
    is_optional: bool = False

    @property
    def jobs(self) -> LeasedJobQuerySet[Any]:
        """Return all of its jobs."""
        return LeasedJobQuerySet(self.model)

    def group(self) -> Case:
        """Return the expression that names a row's group."""
        *others, last = self.groups
        cases = (When(self.groups[name], then=Value(name)) for name in others)
        return Case(*cases, default=Value(last), output_field=CharField())

    def wake(self, at_most: int, expires_s: float) -> None:
        """Send a hint for each queued job, up to a number."""
        for pk in self.jobs.filter(status=QUEUED).values_list("pk", flat=True)[:at_most]:
            publish(self.task, expires_s=expires_s, **({self.key_argument: pk} if self.key_argument else {}))


_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> JobKind:
    """Add a kind of job; its task goes to its queue from now on."""
    if kind.name in _kinds:
        raise ValueError(f"There is a kind of job named {kind.name} already.")
    _kinds[kind.name] = kind
    route_to_queue(kind.task, kind.queue)
    return kind


def job_kinds() -> tuple[JobKind, ...]:
    """Return every kind, in the order in which their apps are loaded."""
    return tuple(_kinds.values())
