"""Builds a leaderboard: who may see which rows, in which order, with which rank."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Count, OuterRef, QuerySet, Subquery

from bayerboard.challenges.models import Board, Phase
from bayerboard.leaderboards.models import Standing
from bayerboard.leaderboards.order import order_of
from bayerboard.submissions.models import FactSheetRevision, Submission

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.methods.models import Measurement
    from scoring.protocol import Column, Protocol

ROWS_PER_PAGE = 50
# The long columns, which no row shows; the metrics come with the order.
NOT_SHOWN = (
    "metrics",
    *(f"evaluation__{name}" for name in ("metrics", "errors", "warnings", "provenance")),
    "evaluation__submission__description",
)


@dataclass(frozen=True)
class Cell:
    """A value of a ranked column."""

    column: Column
    # None where a formula has no value, since the readme does not say what it needs: such a row has no rank.
    value: float | None
    is_best: bool

    @property
    def text(self) -> str:
        return "–" if self.value is None else f"{self.value:.{self.column.precision}f}"


@dataclass(frozen=True)
class Row:
    """A team's line on the board."""

    rank: int | None
    standing: Standing
    cells: tuple[Cell, ...]
    submission: Submission
    fact_sheet: FactSheetRevision | None
    submissions_count: int
    is_own: bool

    @property
    def team(self) -> str:
        return self.submission.entry.team.name

    @property
    def measurement(self) -> Measurement | None:
        """Return what our own workers measured of it: of a baseline, and of nothing else."""
        return getattr(self.submission, "measurement", None)

    @property
    def is_baseline(self) -> bool:
        return self.submission.entry.team.is_baseline

    @property
    def is_over_limit(self) -> bool:
        """Whether more than the protocol's limits is declared, or nothing where it must be."""
        return self.standing.evaluation.eligible is False


@dataclass(frozen=True)
class BoardPage:
    """What one page of a board shows."""

    phase: Phase
    protocol: Protocol
    # Only rows within the protocol's limits, with the ranks among them.
    eligible_only: bool
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    number: int
    pages: int
    rows_in_all: int
    # none: nothing to see yet; own: only the reader's own row; all: the whole board
    visibility: str

    @cached_property
    def has_measurements(self) -> bool:
        return any(row.measurement for row in self.rows)


def visible_standings(
    phase: Phase, user: User | AnonymousUser, *, eligible_only: bool = False
) -> tuple[QuerySet[Standing], str]:
    """Return the standings that the user may see: in the query, so that no template can show more."""
    standings = Standing.objects.filter(
        phase=phase, evaluation__scoring_version=phase.published_version_id, among_eligible=eligible_only
    )
    if phase.board_is_open() or phase.track.challenge.is_organised_by(user):
        return standings, "all"
    if phase.board == Board.OWN_ROW and phase.shows_own_scores and user.is_authenticated:
        return standings.filter(entry__team__memberships__user=user), "own"
    return standings.none(), "none"


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
    standings, visibility = visible_standings(phase, user, eligible_only=eligible_only)
    order = order_of(standings, protocol)
    pages = max(1, -(-len(order.places) // per_page))
    number = min(max(1, number), pages)
    shown = order.places[(number - 1) * per_page : number * per_page]
    columns = phase.columns_for(user, protocol)
    # One's own row alone says nothing about who is best.
    best = order.best if visibility == "all" else {}
    whole = _whole_rows([place.standing for place in shown], user)
    rows = tuple(
        _row(
            whole[place.standing],
            place.rank if visibility == "all" else None,
            tuple(_cell(column, protocol, place.metrics, best) for column in columns),
        )
        for place in shown
        # a row can go between the two queries, with a disqualification
        if place.standing in whole
    )
    return BoardPage(phase, protocol, eligible_only, columns, rows, number, pages, len(order.places), visibility)


def position_of(submission: Submission, user: User | AnonymousUser) -> int | None:
    """Return the rank of the submission if it stands for its team on a board that the user may see whole."""
    phase = submission.entry.phase
    standings, visibility = visible_standings(phase, user)
    if visibility != "all" or phase.published_version is None:
        return None
    standing = standings.filter(evaluation__submission=submission).values_list("pk", flat=True).first()
    places = order_of(standings, phase.published_version.protocol).places if standing else ()
    return next((place.rank for place in places if place.standing == standing), None)


@dataclass(frozen=True)
class _Whole:
    standing: Standing
    fact_sheet: FactSheetRevision | None
    submissions_count: int
    is_own: bool


def _whole_rows(pks: list[int], user: User | AnonymousUser) -> dict[int, _Whole]:
    latest_sheet = FactSheetRevision.objects.filter(submission=OuterRef("evaluation__submission")).order_by("-pk")
    standings = (
        Standing.objects.select_related("evaluation__submission__entry__team", "evaluation__submission__measurement")
        .defer(*NOT_SHOWN)
        .annotate(fact_sheet_id=Subquery(latest_sheet.values("pk")[:1]))
    )
    standings_by_pk = standings.in_bulk(pks)
    sheets = FactSheetRevision.objects.in_bulk([s.fact_sheet_id for s in standings_by_pk.values() if s.fact_sheet_id])
    own = set(user.memberships.values_list("team", flat=True)) if user.is_authenticated else set()
    counts = _submission_counts([standing.entry_id for standing in standings_by_pk.values()])
    return {
        pk: _Whole(
            standing=standing,
            fact_sheet=sheets.get(standing.fact_sheet_id or 0),
            submissions_count=counts.get(standing.entry_id, 0),
            is_own=standing.evaluation.submission.entry.team_id in own,
        )
        for pk, standing in standings_by_pk.items()
    }


def _submission_counts(entries: list[int]) -> dict[int, int]:
    counted = Submission.objects.filter(entry__in=entries).order_by().values("entry").annotate(n=Count("pk"))
    return {item["entry"]: item["n"] for item in counted}


def _row(whole: _Whole, rank: int | None, cells: tuple[Cell, ...]) -> Row:
    return Row(
        rank=rank,
        standing=whole.standing,
        cells=cells,
        submission=whole.standing.evaluation.submission,
        fact_sheet=whole.fact_sheet,
        submissions_count=whole.submissions_count,
        is_own=whole.is_own,
    )


def _cell(column: Column, protocol: Protocol, metrics: dict[str, float], best: dict[str, float]) -> Cell:
    value, top = metrics.get(column.key), best.get(column.key)
    tolerance = protocol.tolerance if column.tolerance is None else column.tolerance
    return Cell(column, value, value is not None and top is not None and abs(value - top) <= tolerance)
