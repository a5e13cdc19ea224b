"""A submission's own page: who may open it, and what each may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.submissions.models import Submission
from scoring.problems import problem
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


INSIDERS = ("participant", "teammate", "organiser")


@pytest.fixture
def scored(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.864219, ssim=0.8312345)


def page_of(cast: Cast, role: str, submission: Submission) -> Page:
    return Page(cast.client(role).get(submission.get_absolute_url()))


@pytest.mark.parametrize("role", INSIDERS)
def test_shows_the_scores_with_the_protocols_precision(cast: Cast, scored: Submission, role: str) -> None:
    page = page_of(cast, role, scored)

    assert "PSNR 31.86 dB" in page.text
    assert "SSIM 0.8312" in page.text
    assert "31.8642" not in page.html
    assert "0.83123" not in page.html


@pytest.mark.parametrize("role", INSIDERS)
def test_shows_the_rank_on_an_open_board(cast: Cast, scored: Submission, tmp_path: Path, role: str) -> None:
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=40)

    assert "Rank 2" in page_of(cast, role, scored).text


def test_a_submission_that_does_not_stand_on_the_board_has_no_rank(
    cast: Cast, scored: Submission, tmp_path: Path
) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=40)

    assert "Rank" not in page_of(cast, "participant", scored).text


@pytest.mark.parametrize("role", ["rival", "stranger"])
def test_is_not_there_for_others(cast: Cast, scored: Submission, role: str) -> None:
    response = cast.client(role).get(scored.get_absolute_url())

    assert response.status_code == 404
    assert scored.method_name not in response.content.decode()


def test_signed_out(cast: Cast, scored: Submission) -> None:
    response = cast.client("signed_out").get(scored.get_absolute_url())

    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("pk", [0, 10**8, 10**30])
def test_unknown_and_signed_out_look_alike(cast: Cast, pk: int) -> None:
    assert cast.client("participant").get(f"/submissions/{pk}/").status_code == 404
    assert cast.client("signed_out").get(f"/submissions/{pk}/").status_code == 302


def test_takes_no_post(cast: Cast, scored: Submission) -> None:
    assert cast.client("participant").post(scored.get_absolute_url()).status_code == 405


# --- Scores that the phase hides ---


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_hidden_scores_are_nowhere_on_the_page(cast: Cast, scored: Submission, role: str) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False, publishes_images=True)

    page = page_of(cast, role, scored)

    assert "31.86" not in page.html
    assert "0.8312" not in page.html
    assert "Rank" not in page.text
    assert "The scores appear when the organisers open them." in page.text


def test_organisers_see_hidden_scores(cast: Cast, scored: Submission) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False)

    assert "31.86" in page_of(cast, "organiser", scored).text


def test_hidden_scores_appear_when_the_board_opens(cast: Cast, scored: Submission) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False, board_opens_at=timezone.now())

    assert "31.86" in page_of(cast, "participant", scored).text


@pytest.mark.parametrize("board", ["hidden", "own-row"])
def test_own_scores_come_without_a_rank_while_the_board_is_hidden(cast: Cast, scored: Submission, board: str) -> None:
    type(cast.phase).objects.update(board=board)

    page = page_of(cast, "participant", scored)

    assert "31.86" in page.text
    assert "Rank" not in page.text


# --- Per-image scores ---


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_per_image_scores_are_the_organisers_alone(cast: Cast, scored: Submission, role: str) -> None:
    page = page_of(cast, role, scored)

    assert "Image by image" not in page.text
    assert "6_2" not in page.html


def test_organisers_see_per_image_scores(cast: Cast, scored: Submission) -> None:
    page = page_of(cast, "organiser", scored)

    assert "Image by image" in page.text
    assert "6_0 31.86 0.8312 6_2 31.86 0.8312" in page.text


def test_a_phase_with_a_public_reference_shows_them(cast: Cast, scored: Submission) -> None:
    type(cast.phase).objects.update(publishes_images=True)

    assert "6_2 31.86 0.8312" in page_of(cast, "participant", scored).text


# --- Other endings ---


def test_a_rejected_archives_page_says_what_to_mend(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    error = problem("image-missing", file="6_2.npy")
    Evaluation.objects.update(status=Status.REJECTED, errors=[error.to_json()])

    page = page_of(cast, "participant", submission)

    assert "image-missing" in page.text
    assert error.message in page.text
    assert error.hint in page.text
    assert "Nothing was taken from your quota." in page.text


def test_a_failed_one_shows_a_reference_number(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    Evaluation.objects.update(status=Status.FAILED, failure="Our side (reference 0123456789).")

    assert "reference 0123456789" in page_of(cast, "participant", submission).text


def test_a_queued_one_can_be_cancelled(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)

    page = page_of(cast, "participant", submission)

    assert f"{submission.get_absolute_url()}cancel/" in page.links
    assert f"{submission.get_absolute_url()}status/" in page.links


def test_a_final_one_asks_no_more(cast: Cast, scored: Submission) -> None:
    page = page_of(cast, "participant", scored)

    assert f"{scored.get_absolute_url()}status/" not in page.links
    assert f"{scored.get_absolute_url()}cancel/" not in page.links


def test_a_disqualified_one_says_so(cast: Cast, scored: Submission) -> None:
    Submission.objects.update(disqualified_at=timezone.now(), disqualified_reason="Wrong data.")

    assert "Wrong data." in page_of(cast, "participant", scored).text


def test_what_participants_write_is_text(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(
        cast.phase,
        cast.team,
        tmp_path,
        method_name="<script>alert(1)</script>",
        description='<img src="x" onerror="alert(1)">',
    )

    page = page_of(cast, "organiser", submission)

    assert "<script>alert(1)</script>" in page.text
    assert page.violations == []


def test_a_staged_evaluation_changes_nothing(cast: Cast, scored: Submission, tmp_path: Path) -> None:
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()
    staged = Evaluation.objects.create(submission=scored, scoring_version=version, is_staged=True)
    before = page_of(cast, "participant", scored).text
    factories.record(staged, psnr=12.34)

    after = page_of(cast, "participant", scored).text

    assert after == before
    assert "12.34" not in after


def test_without_a_published_version_the_first_evaluation_is_shown(cast: Cast, scored: Submission) -> None:
    type(cast.phase).objects.update(published_version=None)

    assert "31.86" in page_of(cast, "participant", scored).text
