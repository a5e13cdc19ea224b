"""Reads a board's rows as plain values: whole models would take longer than the rest of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.urls import reverse

from bayerboard.leaderboards.models import Standing
from bayerboard.submissions.models import FactSheetRevision, Submission
from bayerboard.teams.origin import ON_BOARDS, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bayerboard.teams.models import Team


DEVICES = dict(FactSheetRevision.Device.choices)


class Declared(NamedTuple):
    """The fact sheet's values, as a team declares them."""

    runtime_s: float | None
    device: str
    extra_data: bool | None
    parameters: float | None
    macs: float | None

    @property
    def device_label(self) -> str:
        return str(DEVICES.get(self.device, self.device))


class MeasuredHere(NamedTuple):
    """Values that our own workers measured, of a baseline alone."""

    runtime_s: float | None
    device_name: str
    parameters: int | None
    macs: int | None


class Cell(NamedTuple):
    """A ranked column: a dash where a formula lacks an operand."""

    text: str
    is_best: bool


class Row(NamedTuple):
    """A team's line on the board. All that a page shows of it is in here, so that its text identifies the picture."""

    rank: int | None
    cells: tuple[Cell, ...]
    team: str
    is_baseline: bool
    is_own: bool
    # More than the protocol's limits is declared, or nothing where it must be.
    is_over_limit: bool
    submission: int
    method: str
    submitted_at: datetime
    submissions_count: int
    fact_sheet: Declared | None
    measurement: MeasuredHere | None

    @property
    def submission_url(self) -> str:
        return reverse("submission", args=[self.submission])


class Unplaced(NamedTuple):
    """A row without its place on the board, and all its metrics, those included that the reader may not see."""

    row: Row
    metrics: dict[str, float]

    def placed(self, rank: int | None, cells: tuple[Cell, ...]) -> Row:
        return self.row._replace(rank=rank, cells=cells)


def read_rows(standings: Iterable[int], own: Team | None) -> dict[int, Unplaced]:
    """Return the row of each standing that is still there, by the standing's key; `own` marks the reader's."""
    return {values["pk"]: Unplaced(_row(values, own), values["metrics"]) for values in _values(standings)}


def _values(standings: Iterable[int]) -> Iterable[Mapping[str, Any]]:
    sheets = FactSheetRevision.objects.filter(submission=OuterRef("evaluation__submission")).order_by("-pk")
    # One value: a subquery has no more.
    sheet = JSONObject(**{field: field for field in Declared._fields})
    shown = Submission.objects.filter(entry=OuterRef("entry"), origin__in=ON_BOARDS)
    sent = shown.order_by().values("entry").annotate(number=Count("*"))
    measured = "evaluation__submission__measurement"
    return (
        Standing.objects.filter(pk__in=standings)
        .order_by()
        .values(
            "pk",
            "submitted_at",
            "metrics",
            team=F("entry__team"),
            name=F("entry__team__name"),
            origin=F("evaluation__submission__origin"),
            submission=F("evaluation__submission"),
            method=F("evaluation__submission__method_name"),
            eligible=F("evaluation__eligible"),
            sheet=Subquery(sheets.values_list(sheet)[:1]),
            sent=Coalesce(Subquery(sent.values("number")), 0),
            **{f"measured_{field}": F(f"{measured}__{field}") for field in MeasuredHere._fields},
        )
    )


def _declared(sheet: dict[str, Any] | None) -> Declared | None:
    if sheet is None:
        return None
    declared = Declared(**sheet)
    # SQLite has no truth values.
    return declared._replace(extra_data=None if declared.extra_data is None else bool(declared.extra_data))


def _row(values: Mapping[str, Any], own: Team | None) -> Row:
    measured = MeasuredHere(*(values[f"measured_{field}"] for field in MeasuredHere._fields))
    return Row(
        rank=None,
        cells=(),
        team=values["name"],
        is_baseline=values["origin"] == Origin.BASELINE,
        is_own=own is not None and values["team"] == own.pk,
        is_over_limit=values["eligible"] is False,
        submission=values["submission"],
        method=values["method"],
        submitted_at=values["submitted_at"],
        submissions_count=values["sent"],
        fact_sheet=_declared(values["sheet"]),
        measurement=None if measured.runtime_s is None else measured,
    )
