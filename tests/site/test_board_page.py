"""The page of a leaderboard, and who sees what on it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.challenges.models import Challenge
from bayerboard.evaluations.models import Evaluation
from bayerboard.leaderboards.board import board_page, visible_standings
from bayerboard.leaderboards.models import Standing
from bayerboard.runs.models import Measurement
from bayerboard.submissions.models import Submission
from bayerboard.teams.models import Team
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.factories import Cast


OUTSIDERS = ("participant", "teammate", "rival", "stranger", "signed_out")


@pytest.fixture(autouse=True)
def scored(cast: Cast, tmp_path: Path) -> dict[str, Submission]:
    return {
        "team": factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642, method_name="Ours"),
        "rivals": factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=27.1234, method_name="Theirs"),
    }


def show(cast: Cast, **fields: object) -> None:
    type(cast.phase).objects.update(**fields)
    cast.phase.refresh_from_db()


def page_of(cast: Cast, role: str) -> Page:
    return Page(cast.client(role).get(cast.phase.get_absolute_url()))


@pytest.mark.parametrize("role", factories.ROLES)
def test_an_open_board_is_everybodys(cast: Cast, role: str) -> None:
    page = page_of(cast, role)

    assert page.text.index("Bayer Street") < page.text.index("Night Shift")
    assert "31.86" in page.text
    assert "27.12" in page.text


@pytest.mark.parametrize(
    ("role", "own", "others"),
    [("participant", "team", "rivals"), ("teammate", "team", "rivals"), ("rival", "rivals", "team")],
)
def test_only_ones_own_submission_is_linked(
    cast: Cast, scored: dict[str, Submission], role: str, own: str, others: str
) -> None:
    links = page_of(cast, role).links

    assert scored[own].get_absolute_url() in links
    assert scored[others].get_absolute_url() not in links


@pytest.mark.parametrize("role", OUTSIDERS)
def test_a_hidden_board_shows_nobody(cast: Cast, role: str) -> None:
    show(cast, board="hidden")

    page = page_of(cast, role)

    for secret in ("31.86", "27.12", "Night Shift", "Theirs", "2 teams", "2 rows"):
        assert secret not in page.html
    assert "hidden for now" in page.text


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_ones_own_row_comes_without_a_rank(cast: Cast, role: str) -> None:
    show(cast, board="own-row")

    page = page_of(cast, role)

    assert "Bayer Street" in page.text
    assert "31.86" in page.text
    assert "no rank" in page.html
    for secret in ("27.12", "Night Shift", "Theirs", "(best)", "2 rows"):
        assert secret not in page.html


@pytest.mark.parametrize("role", ["stranger", "signed_out"])
def test_who_has_no_row_sees_none(cast: Cast, role: str) -> None:
    show(cast, board="own-row")

    page = page_of(cast, role)

    for secret in ("31.86", "27.12", "Night Shift", "Ours"):
        assert secret not in page.html


def test_ones_own_row_is_hidden_where_ones_own_scores_are(cast: Cast) -> None:
    show(cast, board="own-row", shows_own_scores=False)

    assert "31.86" not in page_of(cast, "participant").html


@pytest.mark.parametrize("board", ["hidden", "own-row"])
def test_organisers_see_the_whole_of_it(cast: Cast, board: str) -> None:
    show(cast, board=board)

    page = page_of(cast, "organiser")

    assert "31.86" in page.text
    assert "27.12" in page.text


@pytest.mark.parametrize("board", ["hidden", "own-row"])
@pytest.mark.parametrize(("delay", "is_open"), [(timedelta(seconds=-1), True), (timedelta(hours=1), False)])
def test_it_opens_at_its_date(cast: Cast, board: str, delay: timedelta, is_open: bool) -> None:
    show(cast, board=board, board_opens_at=timezone.now() + delay)

    assert ("Night Shift" in page_of(cast, "signed_out").text) is is_open


@pytest.mark.parametrize("board", ["hidden", "own-row"])
def test_the_query_itself_finds_nothing_else(cast: Cast, board: str) -> None:
    """No template can show what was never fetched."""
    show(cast, board=board)

    standings, _ = visible_standings(cast.phase, cast.rival)

    assert {standing.entry.team for standing in standings} <= {cast.rivals}


@pytest.mark.parametrize(("board", "rows"), [("hidden", 0), ("own-row", 1)])
def test_not_even_the_number_of_teams_is_told(cast: Cast, board: str, rows: int) -> None:
    show(cast, board=board)

    page = board_page(cast.phase, cast.participant)

    assert (page.rows_in_all, page.pages) == (rows, 1)


def test_a_phase_without_a_reference_has_an_empty_board(cast: Cast) -> None:
    show(cast, published_version=None)

    assert "No scores yet" in page_of(cast, "stranger").text


def rename_method(cast: Cast) -> str:
    Submission.objects.filter(method_name="Theirs").update(method_name="Theirs, renamed")
    return "Theirs, renamed"


def rename_team(cast: Cast) -> str:
    Team.objects.filter(pk=cast.rivals.pk).update(name="Day Shift")
    return "Day Shift"


def revise_fact_sheet(cast: Cast) -> str:
    Submission.objects.get(method_name="Theirs").fact_sheets.create(runtime_s=0.0123)
    return "12.3 ms"


def measure(cast: Cast) -> str:
    of = Submission.objects.get(method_name="Theirs")
    Measurement.objects.create(submission=of, runtime_s=0.5, device="gpu", device_name="A card of ours")
    return "A card of ours"


def declare_nothing(cast: Cast) -> str:
    Evaluation.objects.filter(submission__method_name="Theirs").update(eligible=False)
    return "over the limit"


@pytest.mark.parametrize("change", [rename_method, rename_team, revise_fact_sheet, measure, declare_nothing])
def test_a_row_that_was_shown_before_changes_at_once(cast: Cast, change: Callable[[Cast], str]) -> None:
    before = page_of(cast, "stranger").text

    new = change(cast)

    assert new not in before
    assert new in page_of(cast, "stranger").text


def test_a_row_without_a_measurement_that_was_shown_before_gets_the_new_columns_too(cast: Cast) -> None:
    page_of(cast, "stranger")

    measure(cast)

    (table,) = re.findall(r"<table>.*?</table>", page_of(cast, "stranger").html, re.DOTALL)
    head, *rows = (len(re.findall(r"<t[hd]\b", row)) for row in re.findall(r"<tr\b.*?</tr>", table, re.DOTALL))
    assert rows == [head, head]


def test_a_row_that_was_shown_before_shows_its_day_in_a_new_time_zone(cast: Cast) -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    Submission.objects.update(submitted_at=late)
    Standing.objects.update(submitted_at=late)
    assert "1 Mar 2026" in page_of(cast, "stranger").text

    Challenge.objects.update(time_zone="Asia/Tokyo")

    assert "2 Mar 2026" in page_of(cast, "stranger").text


def test_a_row_that_was_shown_before_counts_what_is_sent(cast: Cast, tmp_path: Path) -> None:
    page_of(cast, "stranger")

    factories.make_submission(cast.phase, cast.rivals, tmp_path)

    sent = [row.submissions_count for row in board_page(cast.phase, cast.user("stranger")).rows]
    assert sent == [1, 2]
    assert ">2</td>" in page_of(cast, "stranger").html


@pytest.mark.parametrize("role", ["stranger", "rival"])
def test_nobody_is_shown_the_row_as_its_own_team_saw_it(cast: Cast, scored: dict[str, Submission], role: str) -> None:
    assert scored["team"].get_absolute_url() in page_of(cast, "participant").links

    assert scored["team"].get_absolute_url() not in page_of(cast, role).links


def test_other_phases_are_linked(cast: Cast, tmp_path: Path) -> None:
    final = type(cast.phase).objects.create(
        track=cast.phase.track, slug="test", title="Test", starts_at=timezone.now(), position=1
    )

    assert final.get_absolute_url() in page_of(cast, "stranger").links


def test_unknown_phase(cast: Cast) -> None:
    assert cast.client("stranger").get(f"{cast.phase.track.get_absolute_url()}nothing/").status_code == 404


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("participant").post(cast.phase.get_absolute_url()).status_code == 405
