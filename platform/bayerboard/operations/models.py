"""Counters that only grow, and signs of life, for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models.functions import Now

if TYPE_CHECKING:
    from datetime import datetime

# Who beats, and what is counted as it happens.
BEAT = "beat"
EXPIRED_LEASES = "expired leases"
# Group → field → number, such as {"scored": {"count": 12, "images": 5760}}.
Counts = dict[str, dict[str, float]]


def add(one: Counts, other: Counts) -> Counts:
    """Return the sum of both, field by field."""
    return {
        group: {
            field: one.get(group, {}).get(field, 0) + other.get(group, {}).get(field, 0)
            for field in {**one.get(group, {}), **other.get(group, {})}
        }
        for group in {**one, **other}
    }


class Tally(models.Model):
    """Counts of what happened until a moment, so that nobody ever has to count all rows again.

    What happened later is counted from the rows themselves: an index on their time makes that cheap.
    """

    source = models.CharField(max_length=40, unique=True)
    until = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.source} until {self.until}"

    @classmethod
    def of(cls, source: str) -> Tally:
        """Return the tally, an empty one where nothing was counted yet."""
        return cls.objects.filter(source=source).first() or cls(source=source)

    def advance(self, until: datetime, counts: Counts) -> bool:
        """Add what happened between the tally's moment and `until`; False when another process has just done so."""
        with transaction.atomic():
            Tally.objects.get_or_create(source=self.source)
            # The moment is the fence: whoever read the same one second changes no row. (`until=None` compares as NULL.)
            before = Tally.objects.filter(source=self.source, until=self.until)
            return bool(before.update(until=until, counts=add(self.counts, counts)))

    @classmethod
    def count_events(cls, source: str, counts: Counts) -> None:
        """Add events that leave no row behind."""
        with transaction.atomic():
            cls.objects.get_or_create(source=source)
            tally = cls.objects.select_for_update().get(source=source)
            tally.counts = add(tally.counts, counts)
            tally.save(update_fields=["counts"])


class Heartbeat(models.Model):
    """The last sign of life of something that must never stop, on the database's clock."""

    name = models.CharField(max_length=40, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at}"

    @classmethod
    def beat(cls, name: str) -> None:
        cls.objects.update_or_create(name=name, defaults={"seen_at": Now()})

    @classmethod
    def last(cls, name: str) -> datetime | None:
        found = cls.objects.filter(name=name).first()
        return found.seen_at if found else None
