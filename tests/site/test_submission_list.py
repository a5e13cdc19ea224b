"""My submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bayerboard.challenges.models import Phase
from bayerboard.evaluations.models import Evaluation
from bayerboard.pages import submissions as views
from bayerboard.submissions.models import Submission
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.factories import Cast


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_lists_the_teams_submissions_newest_first(cast: Cast, role: str, tmp_path: Path) -> None:
    first = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642, method_name="First")
    second = factories.make_submission(cast.phase, cast.team, tmp_path, method_name="Second")

    page = Page(cast.client(role).get("/submissions/"))

    assert {first.get_absolute_url(), second.get_absolute_url()} <= page.links
    assert page.text.index("Second") < page.text.index("First")
    assert "31.86" in page.text


@pytest.mark.parametrize("role", ["rival", "stranger", "organiser"])
def test_lists_nobody_elses(cast: Cast, role: str, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642, method_name="First")

    page = Page(cast.client(role).get("/submissions/"))

    assert "No submissions yet" in page.text
    assert "First" not in page.text


def test_hides_scores_that_the_phase_hides(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642)

    page = Page(cast.client("participant").get("/submissions/"))

    assert "Scores are hidden for now" in page.text
    assert "31.86" not in page.html


def rename(submission: Submission) -> str:
    Submission.objects.update(method_name="Renamed")
    return "Renamed"


def disqualify(submission: Submission) -> str:
    Submission.objects.update(disqualified_at=timezone.now())
    return "disqualified"


def fail(submission: Submission) -> str:
    Evaluation.objects.update(status="failed")
    return "Our fault, not yours"


def reject(submission: Submission) -> str:
    Evaluation.objects.update(status="rejected", errors=[{}, {}, {}])
    return "3 problems in the archive"


def hide(submission: Submission) -> str:
    Phase.objects.update(board="hidden", shows_own_scores=False)
    return "Scores are hidden for now"


@pytest.mark.parametrize("change", [rename, disqualify, fail, reject, hide])
def test_a_line_that_was_shown_before_changes_at_once(
    cast: Cast, tmp_path: Path, change: Callable[[Submission], str]
) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    before = Page(cast.client("participant").get("/submissions/")).text

    new = change(submission)

    assert new not in before
    assert new in Page(cast.client("participant").get("/submissions/")).text


def test_signed_out(cast: Cast) -> None:
    assert cast.client("signed_out").get("/submissions/")["Location"] == "/accounts/login/?next=/submissions/"


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("participant").post("/submissions/").status_code == 405


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("1", "Third"),
        ("2", "First"),
        ("99", "First"),
        ("0", "Third"),
        ("-1", "Third"),
        ("last", "Third"),
        ("", "Third"),
        ("9" * 5000, "Third"),
        ("²", "Third"),
    ],
)
def test_any_page_number_gives_a_page(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, shown: str
) -> None:
    monkeypatch.setattr(views, "SUBMISSIONS_PER_PAGE", 2)
    for name in ("First", "Second", "Third"):
        factories.make_submission(cast.phase, cast.team, tmp_path, method_name=name)

    response = cast.client("participant").get("/submissions/", {"page": number})

    assert response.status_code == 200
    assert shown in Page(response).text


@pytest.mark.database
@pytest.mark.parametrize("phase", [{}, {"board": "hidden", "shows_own_scores": False}], ids=["open", "hidden"])
def test_a_longer_list_takes_no_more_queries(cast: Cast, tmp_path: Path, phase: dict[str, object]) -> None:
    type(cast.phase).objects.update(quota_per_day=100, **phase)
    cast.phase.refresh_from_db()
    client = cast.client("participant")

    def count(submissions: int) -> int:
        for _ in range(submissions):
            factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
        with CaptureQueriesContext(connection) as queries:
            client.get("/submissions/")
        return len(queries)

    assert count(2) == count(6)
