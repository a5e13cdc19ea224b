"""A leaderboard's order, ranks and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bayerboard.leaderboards.board import board_page
from bayerboard.leaderboards.models import Standing
from bayerboard.teams.origin import Origin
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.challenges.models import Phase
    from tests.factories import Cast

pytestmark = pytest.mark.database

ANYBODY = AnonymousUser()


def score(phase: Phase, folder: Path, name: str, psnr: float, ssim: float = 0.5) -> None:
    factories.make_scored(phase, factories.make_team(phase.track.challenge, name), folder, psnr, ssim)


def score_baseline(phase: Phase, folder: Path, name: str, psnr: float) -> None:
    team = factories.make_baseline_team(phase.track.challenge, name)
    factories.make_scored(phase, team, folder, psnr, origin=Origin.BASELINE)


def rows(phase: Phase) -> list[tuple[int | None, str]]:
    return [(row.rank, row.team) for row in board_page(phase, ANYBODY).rows]


@pytest.fixture
def phase(cast: Cast) -> Phase:
    return cast.phase


def test_ties_share_a_rank(phase: Phase, tmp_path: Path) -> None:
    for name, psnr in (("A", 31), ("B", 30), ("C", 30 + 4e-7), ("D", 29)):
        score(phase, tmp_path, name, psnr)

    assert rows(phase) == [(1, "A"), (2, "B"), (2, "C"), (4, "D")]


def test_s7_goes_by_psnr_then_ssim(phase: Phase, tmp_path: Path) -> None:
    score(phase, tmp_path, "A", 30, 0.9)
    score(phase, tmp_path, "B", 31, 0.1)
    score(phase, tmp_path, "C", 30, 0.95)

    assert rows(phase) == [(1, "B"), (2, "C"), (3, "A")]
    assert [column.key for column in board_page(phase, ANYBODY).columns] == ["psnr", "ssim"]


@pytest.mark.django_db
def test_p20_goes_by_ssim_then_psnr(tmp_path: Path) -> None:
    phase = factories.make_phase(tmp_path, protocol=factories.SMALL_P20)
    score(phase, tmp_path, "A", 30, 0.9)
    score(phase, tmp_path, "B", 31, 0.1)
    score(phase, tmp_path, "C", 29, 0.9)

    assert rows(phase) == [(1, "A"), (2, "C"), (3, "B")]
    assert [column.key for column in board_page(phase, ANYBODY).columns] == ["ssim", "psnr"]


def test_a_baseline_stands_in_its_place_and_takes_no_rank(phase: Phase, tmp_path: Path) -> None:
    for name, psnr in (("A", 31), ("B", 29)):
        score(phase, tmp_path, name, psnr)
    score_baseline(phase, tmp_path, "Mosaic", 30)

    assert rows(phase) == [(1, "A"), (None, "Mosaic"), (2, "B")]


def test_a_baseline_on_top_is_not_the_best(phase: Phase, tmp_path: Path) -> None:
    score_baseline(phase, tmp_path, "Mosaic", 40)
    score(phase, tmp_path, "A", 31)

    board = board_page(phase, ANYBODY)

    assert [(row.team, row.cells[0].is_best) for row in board.rows] == [("Mosaic", False), ("A", True)]


def test_a_board_of_baselines_alone(phase: Phase, tmp_path: Path) -> None:
    score_baseline(phase, tmp_path, "Mosaic", 40)

    assert rows(phase) == [(None, "Mosaic")]


def test_the_best_of_each_column_is_marked(phase: Phase, tmp_path: Path) -> None:
    score(phase, tmp_path, "A", 31, 0.8)
    score(phase, tmp_path, "B", 30, 0.9)

    board = board_page(phase, ANYBODY)

    assert [[cell.is_best for cell in row.cells] for row in board.rows] == [[True, False], [False, True]]


@pytest.mark.parametrize(
    ("psnr", "text"), [(31.864219, "31.86"), (31.865, "31.86"), (999.0, "999.00"), (0.0, "0.00"), (-3.456, "-3.46")]
)
def test_values_are_shown_with_the_protocols_precision(phase: Phase, tmp_path: Path, psnr: float, text: str) -> None:
    score(phase, tmp_path, "A", psnr)

    assert board_page(phase, ANYBODY).rows[0].cells[0].text == text


@pytest.mark.parametrize(
    ("number", "teams"),
    [(1, ["A", "B"]), (2, ["C", "D"]), (3, ["E"]), (4, ["E"]), (0, ["A", "B"]), (-5, ["A", "B"]), (10**6, ["E"])],
)
def test_pages(phase: Phase, tmp_path: Path, number: int, teams: list[str]) -> None:
    for index, name in enumerate("ABCDE"):
        score(phase, tmp_path, name, 40 - index)

    page = board_page(phase, ANYBODY, number, per_page=2)

    assert [row.team for row in page.rows] == teams
    assert (page.pages, page.rows_in_all) == (3, 5)


def test_ranks_go_on_from_page_to_page(phase: Phase, tmp_path: Path) -> None:
    for index, name in enumerate("ABC"):
        score(phase, tmp_path, name, 40 - index)

    assert board_page(phase, ANYBODY, 2, per_page=2).rows[0].rank == 3


def test_shows_the_fact_sheet_and_how_many_were_sent(phase: Phase, tmp_path: Path) -> None:
    team = factories.make_team(phase.track.challenge, "A")
    factories.make_scored(phase, team, tmp_path, psnr=30)
    factories.make_submission(phase, team, tmp_path)

    row = board_page(phase, ANYBODY).rows[0]

    assert row.fact_sheet is not None
    assert (row.fact_sheet.runtime_s, row.fact_sheet.device, row.fact_sheet.extra_data) == (0.5, "gpu", False)
    assert row.submissions_count == 2


def test_shows_the_latest_revision_of_the_fact_sheet(phase: Phase, tmp_path: Path) -> None:
    submission = factories.make_scored(phase, factories.make_team(phase.track.challenge), tmp_path, psnr=30)
    submission.fact_sheets.create(runtime_s=0.25)

    row = board_page(phase, ANYBODY).rows[0]

    assert row.fact_sheet is not None
    assert row.fact_sheet.runtime_s == 0.25


def test_a_score_of_an_older_version_is_not_shown(cast: Cast, tmp_path: Path) -> None:
    score(cast.phase, tmp_path, "A", 30)
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()
    cast.phase.published_version = version

    assert rows(cast.phase) == []


def test_a_row_that_goes_while_the_page_is_made(phase: Phase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score(phase, tmp_path, "A", 31)
    score(phase, tmp_path, "B", 30)

    def rank_while_a_row_goes(*arguments: object, **options: object) -> list[tuple[int, int]]:
        Standing.objects.filter(entry__team__name="A").delete()
        return [(0, 1), (1, 2)]

    monkeypatch.setattr("bayerboard.leaderboards.order.rank_metrics", rank_while_a_row_goes)

    assert rows(phase) == [(2, "B")]


@pytest.mark.parametrize("role", ["participant", "signed_out"])
def test_more_teams_take_no_more_queries(cast: Cast, tmp_path: Path, role: str) -> None:
    client = cast.client(role)

    def count(teams: int) -> int:
        for index in range(teams):
            score(cast.phase, tmp_path, f"Team {teams}-{index}", 30 + index)
        with CaptureQueriesContext(connection) as queries:
            page = Page(client.get(cast.phase.get_absolute_url()))
        assert f"Team {teams}-0" in page.text
        return len(queries)

    assert count(3) == count(27)
