"""Builds a leaderboard: who may see which rows, in which order, with which rank."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils import timezone

from bayerboard.challenges.visibility import Rows
from bayerboard.leaderboards.models import Standing, ranking_columns
from bayerboard.leaderboards.order import order_of
from bayerboard.leaderboards.rows import Cell, Row, read_rows
from bayerboard.lib.templatetags.bayerboard_tags import score
from bayerboard.teams.models import team_of
from bayerboard.teams.visibility import visibility_for

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Phase
    from bayerboard.challenges.visibility import Visibility
    from bayerboard.submissions.models import Submission
    from scoring.protocol import Column, Protocol

ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class BoardPage:
    """One page of a board."""

    phase: Phase
    protocol: Protocol
    # Only rows within the protocol's limits, with the ranks among them.
    eligible_only: bool
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    number: int
    pages: int
    rows_in_all: int
    visibility: Rows

    @property
    def leading(self) -> Column | None:
        """The column that orders the board first."""
        ranking = ranking_columns(self.protocol, as_shown=self.phase.compares_as_shown)
        return ranking[0] if ranking else None

    @property
    def waits_for_the_end(self) -> bool:
        """Whether the board would be open by its date, and waits for the last submissions to be scored."""
        opens_at = self.phase.board_opens_at
        return self.visibility != Rows.ALL and opens_at is not None and opens_at <= timezone.now()

    @cached_property
    def has_measurements(self) -> bool:
        return any(row.measurement for row in self.rows)

    @property
    def optional_columns(self) -> tuple[bool, ...]:
        """Which of the columns that not every board has are shown."""
        return bool(self.protocol.max_parameters), bool(self.protocol.max_macs), self.has_measurements


def visible_standings(
    phase: Phase, user: User | AnonymousUser, *, eligible_only: bool = False
) -> tuple[QuerySet[Standing], Visibility]:
    """Return the standings that the reader may see: in the query, so that no template can show more."""
    seen = visibility_for(user, phase)
    standings = Standing.objects.filter(
        phase=phase, scoring_version=phase.published_version_id, among_eligible=eligible_only
    )
    if seen.rows == Rows.ALL:
        return standings, seen
    if seen.rows == Rows.OWN and user.is_authenticated:
        return standings.filter(entry__team__memberships__user=user), seen
    return standings.none(), seen


def board_page(
    phase: Phase,
    user: User | AnonymousUser,
    number: int = 1,
    per_page: int = ROWS_PER_PAGE,
    *,
    eligible_only: bool = False,
) -> BoardPage:
    """Return one page of the board as the user may see it; a number out of range gives the nearest page.

    With `eligible_only`, where the protocol has limits, the board is that of the rows within them, ranks included.
    """
    version = phase.published_version
    protocol = version.protocol if version else phase.track.protocol
    eligible_only = eligible_only and protocol.has_limits
    standings, seen = visible_standings(phase, user, eligible_only=eligible_only)
    order = order_of(standings, phase, protocol)
    pages = max(1, -(-len(order.places) // per_page))
    number = min(max(1, number), pages)
    shown = order.places[(number - 1) * per_page : number * per_page]
    columns = seen.columns(protocol)
    best = order.best if seen.ranks else {}
    found = read_rows([standing for standing, _ in shown], team_of(user, phase.track.challenge))
    rows = tuple(
        found[standing].placed(
            rank if seen.ranks else None,
            tuple(_cell(column, protocol, found[standing].metrics, best) for column in columns),
        )
        for standing, rank in shown
        # a row can go between the two queries, with a disqualification
        if standing in found
    )
    return BoardPage(phase, protocol, eligible_only, columns, rows, number, pages, len(order.places), seen.rows)


def position_of(submission: Submission, user: User | AnonymousUser) -> int | None:
    """Return the rank of the submission if it stands for its team on a board that the user may see whole."""
    phase = submission.entry.phase
    standings, seen = visible_standings(phase, user)
    if not seen.ranks or phase.published_version is None:
        return None
    standing = standings.filter(evaluation__submission=submission).values_list("pk", flat=True).first()
    if standing is None:
        return None
    places = order_of(standings, phase, phase.published_version.protocol).places
    return next((rank for place, rank in places if place == standing), None)


def _cell(column: Column, protocol: Protocol, metrics: dict[str, float], best: dict[str, float]) -> Cell:
    value, top = metrics.get(column.key), best.get(column.key)
    is_best = value is not None and top is not None and abs(value - top) <= protocol.tolerance_of(column)
    return Cell(score(value, column), is_best)
