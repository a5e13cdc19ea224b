"""The part of a submission's page that replaces itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayerboard.evaluations.models import Evaluation
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


def url_of(submission: Submission) -> str:
    return f"{submission.get_absolute_url()}status/"


@pytest.mark.parametrize("role", ["participant", "teammate", "organiser"])
def test_is_a_part_of_the_page(cast: Cast, submission: Submission, role: str) -> None:
    page = Page(cast.client(role).get(url_of(submission)))

    assert "<html" not in page.html
    assert "Waiting for a worker." in page.text
    assert url_of(submission) in page.links


def test_shows_how_many_images_are_done(cast: Cast, submission: Submission) -> None:
    Evaluation.objects.claim_next("tester/1")
    Evaluation.objects.get().refresh_from_db()
    Evaluation.objects.get().show_progress(1, 2)

    assert "1 of 2 images 50 %" in Page(cast.client("participant").get(url_of(submission))).text


def test_progress_shows_no_score(cast: Cast, submission: Submission) -> None:
    evaluation = Evaluation.objects.claim_next("tester/1")
    assert evaluation is not None
    evaluation.show_progress(2, 2)

    assert "dB" not in Page(cast.client("participant").get(url_of(submission))).text


def test_ends_with_the_scores_and_stops_asking(cast: Cast, submission: Submission) -> None:
    factories.record(submission.evaluation, psnr=31.8642)

    page = Page(cast.client("participant").get(url_of(submission), headers={"HX-Request": "true"}))

    assert "PSNR 31.86 dB" in page.text
    assert url_of(submission) not in page.links


def test_hides_what_the_phase_hides(cast: Cast, submission: Submission) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False)
    factories.record(submission.evaluation, psnr=31.8642)

    assert "31.86" not in Page(cast.client("participant").get(url_of(submission))).html


@pytest.mark.parametrize("role", ["rival", "stranger"])
def test_is_not_there_for_others(cast: Cast, submission: Submission, role: str) -> None:
    assert cast.client(role).get(url_of(submission)).status_code == 404


def test_signed_out(cast: Cast, submission: Submission) -> None:
    assert cast.client("signed_out").get(url_of(submission)).status_code == 302


def test_unknown(cast: Cast) -> None:
    assert cast.client("participant").get("/submissions/999/status/").status_code == 404


def test_takes_no_post(cast: Cast, submission: Submission) -> None:
    assert cast.client("participant").post(url_of(submission)).status_code == 405
