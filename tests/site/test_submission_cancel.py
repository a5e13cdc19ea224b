"""Cancelling a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.submissions.submit import quota_of
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast

pytestmark = pytest.mark.database


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


def cancel(cast: Cast, submission: Submission, role: str = "participant", **options: Any) -> Any:
    return cast.client(role, **options).post(f"{submission.get_absolute_url()}cancel/", follow=True)


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_a_queued_one_is_cancelled(cast: Cast, submission: Submission, role: str) -> None:
    page = Page(cancel(cast, submission, role))

    assert submission.evaluation.status == Status.CANCELLED
    assert "The submission is cancelled." in page.text


def test_before_the_claim_the_quota_comes_back(cast: Cast, submission: Submission) -> None:
    cancel(cast, submission)

    assert quota_of(cast.phase, cast.team).used_total == 0


def test_after_the_claim_it_does_not(cast: Cast, submission: Submission) -> None:
    Evaluation.objects.claim_next("tester/1")

    cancel(cast, submission)

    assert submission.evaluation.status == Status.CANCELLED
    assert quota_of(cast.phase, cast.team).used_total == 1


def test_what_a_rescore_staged_is_cancelled_with_it(cast: Cast, submission: Submission, tmp_path: Path) -> None:
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()
    staged = Evaluation.objects.create(submission=submission, scoring_version=version, is_staged=True)

    cancel(cast, submission)

    staged.refresh_from_db()
    assert staged.status == Status.CANCELLED


def test_a_finished_one_stays(cast: Cast, submission: Submission) -> None:
    factories.record(submission.evaluation, psnr=30)

    page = Page(cancel(cast, submission))

    assert submission.evaluation.status == Status.SCORED
    assert "This submission is finished and can no longer be cancelled." in page.text


def test_twice_is_once(cast: Cast, submission: Submission) -> None:
    cancel(cast, submission)
    cancel(cast, submission)

    assert submission.evaluation.status == Status.CANCELLED


@pytest.mark.parametrize("role", ["rival", "stranger"])
def test_others_cannot(cast: Cast, submission: Submission, role: str) -> None:
    assert cancel(cast, submission, role).status_code == 404
    assert submission.evaluation.status == Status.QUEUED


def test_signed_out(cast: Cast, submission: Submission) -> None:
    cancel(cast, submission, "signed_out")

    assert submission.evaluation.status == Status.QUEUED


def test_needs_the_csrf_token(cast: Cast, submission: Submission) -> None:
    assert cancel(cast, submission, enforce_csrf_checks=True).status_code == 403
    assert submission.evaluation.status == Status.QUEUED


def test_takes_no_get(cast: Cast, submission: Submission) -> None:
    assert cast.client("participant").get(f"{submission.get_absolute_url()}cancel/").status_code == 405


def test_unknown(cast: Cast) -> None:
    assert cast.client("participant").post("/submissions/999/cancel/").status_code == 404
