"""The score in the operators' list of submissions: where one phase is chosen, a column, an order and a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bayerboard.challenges.models import ScoringVersion
from bayerboard.evaluations.models import Evaluation, Score
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast


LIST = "admin:submissions_submission_changelist"
# The score is the second column, right after the submission.
BY_SCORE = 2


@pytest.fixture
def boss(cast: Cast) -> Client:
    user = factories.make_user("boss", is_staff=True, is_superuser=True)
    client = cast.client("signed_out")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def scored(cast: Cast, tmp_path: Path) -> dict[float, Submission]:
    return {psnr: factories.make_scored(cast.phase, cast.team, tmp_path, psnr=psnr) for psnr in (31.0625, 29, 32, 30)}


def listed(boss: Client, **asked: Any) -> list[Submission]:
    response = boss.get(reverse(LIST), asked)
    assert response.status_code == 200
    found: list[Submission] = list(response.context["cl"].result_list)
    return found


def test_without_a_phase_there_is_no_score(boss: Client, scored: dict[float, Submission]) -> None:
    page = Page(boss.get(reverse(LIST)))

    assert "PSNR" not in page.text
    assert page.violations == []


def test_a_snapshot_without_a_column_that_ranks_shows_its_first(
    boss: Client, cast: Cast, scored: dict[float, Submission]
) -> None:
    """As one from before declared operands were marked may be."""
    column = {"key": "score", "label": "Merit", "direction": "desc", "precision": 2, "unit": "", "formula": "psnr/macs"}
    data = {**cast.phase.track.protocol_data, "columns": [column]}
    ScoringVersion.objects.filter(phase=cast.phase).update(protocol_data=data)

    assert "Merit" in Page(boss.get(reverse(LIST), {"phase": cast.phase.pk})).text


def test_a_phases_list_shows_its_first_column(boss: Client, cast: Cast, scored: dict[float, Submission]) -> None:
    page = Page(boss.get(reverse(LIST), {"phase": cast.phase.pk}))

    assert "PSNR" in page.text
    assert "31.06" in page.text
    assert page.violations == []


def test_a_phase_leaves_out_the_submissions_of_others(
    boss: Client, cast: Cast, tmp_path: Path, scored: dict[float, Submission]
) -> None:
    other = factories.make_phase(tmp_path, cast.challenge)
    elsewhere = factories.make_submission(other, cast.team, tmp_path)

    assert listed(boss, phase=other.pk) == [elsewhere]
    assert set(listed(boss, phase=cast.phase.pk)) == set(scored.values())


def test_the_newest_come_first_until_another_order_is_asked_for(
    boss: Client, cast: Cast, scored: dict[float, Submission]
) -> None:
    assert listed(boss, phase=cast.phase.pk) == list(reversed(scored.values()))


@pytest.mark.parametrize(("order", "expected"), [("", [29, 30, 31.0625, 32]), ("-", [32, 31.0625, 30, 29])])
def test_a_phases_list_is_sorted_by_score(
    boss: Client, cast: Cast, scored: dict[float, Submission], order: str, expected: list[float]
) -> None:
    found = listed(boss, phase=cast.phase.pk, o=f"{order}{BY_SCORE}")

    assert found == [scored[psnr] for psnr in expected]


def test_a_range_of_scores_shows_the_best_first(boss: Client, cast: Cast, scored: dict[float, Submission]) -> None:
    assert listed(boss, phase=cast.phase.pk, least="30") == [scored[32], scored[31.0625], scored[30]]
    assert listed(boss, phase=cast.phase.pk, least="30", most="31.5") == [scored[31.0625], scored[30]]


def test_a_range_in_another_order(boss: Client, cast: Cast, scored: dict[float, Submission]) -> None:
    assert listed(boss, phase=cast.phase.pk, least="30", o=str(BY_SCORE)) == [scored[30], scored[31.0625], scored[32]]


def test_the_form_keeps_what_else_was_chosen(boss: Client, cast: Cast, scored: dict[float, Submission]) -> None:
    asked: dict[str, Any] = {"phase": cast.phase.pk, "q": "Method", "most": "31", "p": "0"}

    response = boss.get(reverse(LIST), asked)

    form = response.content.decode().partition('data-filter-title="score"')[2].partition("</form>")[0]
    assert f'<input type="hidden" name="phase" value="{cast.phase.pk}">' in form
    assert '<input type="hidden" name="q" value="Method">' in form
    assert '<input type="number" name="most" step="any" value="31">' in form
    assert 'name="p"' not in form


def test_a_score_that_is_not_finite_is_shown_by_its_text(
    boss: Client, cast: Cast, scored: dict[float, Submission]
) -> None:
    Score.objects.filter(evaluation__submission=scored[29], key="psnr").update(value=None, text="inf")

    asked: dict[str, Any] = {"phase": cast.phase.pk, "q": scored[29].method_name}

    assert "inf" in Page(boss.get(reverse(LIST), asked)).text


@pytest.mark.parametrize(
    "asked",
    [
        {"phase": "x"},
        {"phase": "1", "least": "x"},
        {"phase": "1", "most": "nan"},
        {"phase": "9" * 6},
        {"phase": "9" * 30},
    ],
)
def test_what_is_no_phase_and_no_number_is_no_crash(
    boss: Client, scored: dict[float, Submission], cast: Cast, asked: dict[str, str]
) -> None:
    phase = str(cast.phase.pk) if asked["phase"] == "1" else asked["phase"]

    response = boss.get(reverse(LIST), {**asked, "phase": phase})

    assert response.status_code in {200, 302}


def test_a_phase_without_scores_has_no_column(boss: Client, cast: Cast, scored: dict[float, Submission]) -> None:
    cast.phase.published_version = None
    cast.phase.save()

    assert set(listed(boss, phase=cast.phase.pk, o=str(BY_SCORE), least="1")) == set(scored.values())


@pytest.mark.database
@pytest.mark.parametrize("order", ["", f"-{BY_SCORE}"])
def test_the_score_costs_one_query_however_long_the_list(
    boss: Client, cast: Cast, tmp_path: Path, scored: dict[float, Submission], order: str
) -> None:
    def count(**asked: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            listed(boss, **asked)
        return len(queries)

    before = count(phase=cast.phase.pk, o=order)
    for psnr in (33, 34):
        factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=psnr)

    assert count(phase=cast.phase.pk, o=order) == before <= count() + 1 <= 8
    assert Evaluation.objects.count() == 6


def test_its_list_is_closed_to_organisers(cast: Cast, scored: dict[float, Submission]) -> None:
    assert cast.client("organiser").get(reverse(LIST), {"phase": cast.phase.pk}).status_code == 302
