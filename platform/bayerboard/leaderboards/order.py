"""The order of a board: ranked once for each set of standings, however often the board is read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache

from bayerboard.challenges.models import Phase
from bayerboard.leaderboards.models import rank_metrics
from bayerboard.teams.origin import Origin

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from bayerboard.leaderboards.models import Standing
    from scoring.protocol import Protocol

# Only so that what nobody reads any more goes: a board's order never gets old.
KEPT_S = 3600


@dataclass(frozen=True)
class Order:
    """All places of a board, and the best value of each column among those that take a rank."""

    # (standing, rank), as plain tuples: they are unpacked from memory each time that a board is read
    places: tuple[tuple[int, int | None], ...]
    best: dict[str, float]


def order_of(standings: QuerySet[Standing], phase: Phase, protocol: Protocol) -> Order:
    """Return the order of the standings, from memory where the same ones were ordered before.

    The key names all that the order depends on: the standings, their evaluations, whose metrics never change, and by
    which values the phase compares them. Reading that much of 1,000 rows takes a millisecond, ranking them ten.
    """
    as_shown = phase.compares_as_shown
    identity = list(standings.order_by("submitted_at", "pk").values_list("pk", "evaluation_id"))
    key = "board-" + hashlib.sha256(repr((protocol.digest, as_shown, identity)).encode()).hexdigest()
    order: Order | None = cache.get(key)
    if order is None:
        order = _rank(standings, protocol, as_shown=as_shown)
        # Unless the standings were chosen anew since the reader's phase was read: the order of unrounded values must
        # not be remembered as one of shown values, for the day that the phase is reopened.
        if Phase.objects.filter(pk=phase.pk, compared=phase.compared).exists():
            cache.set(key, order, KEPT_S)
    return order


def _rank(standings: QuerySet[Standing], protocol: Protocol, *, as_shown: bool) -> Order:
    values = standings.order_by("submitted_at", "pk").values_list("pk", "metrics", "evaluation__submission__origin")
    rows = [(pk, metrics, Origin(origin).rules.may_rank) for pk, metrics, origin in values]
    ranked = rank_metrics(
        protocol,
        [metrics for _, metrics, _ in rows],
        [may_rank for _, _, may_rank in rows],
        as_shown=as_shown,
    )
    places = tuple((rows[index][0], rank) for index, rank in ranked)
    return Order(places, _best_values(protocol, [metrics for _, metrics, may_rank in rows if may_rank]))


def _best_values(protocol: Protocol, rows: list[dict[str, float]]) -> dict[str, float]:
    best = {}
    for column in protocol.columns:
        values = [row[column.key] for row in rows if row.get(column.key) is not None]
        if values:
            best[column.key] = max(values) if column.direction == "desc" else min(values)
    return best
