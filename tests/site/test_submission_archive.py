"""Taking a sent archive back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayerboard.challenges.grants import give_role
from bayerboard.lib.storage import object_store
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    archive = tmp_path / "sent.zip"
    archive.write_bytes(b"PK what was sent")
    return factories.make_submission(cast.phase, cast.team, tmp_path, archive=archive)


def url_of(submission: Submission) -> str:
    return f"{submission.get_absolute_url()}archive/"


@pytest.mark.parametrize("role", ["participant", "teammate", "organiser"])
def test_its_team_and_organisers_get_it(cast: Cast, submission: Submission, role: str) -> None:
    response = cast.client(role).get(url_of(submission))

    assert response.getvalue() == b"PK what was sent"
    assert response["Content-Disposition"] == f'attachment; filename="submission-{submission.pk}.zip"'
    assert response["Content-Type"] == "application/zip"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("role", ["rival", "stranger"])
def test_others_do_not(cast: Cast, submission: Submission, role: str) -> None:
    assert cast.client(role).get(url_of(submission)).status_code == 404


def test_signed_out(cast: Cast, submission: Submission) -> None:
    assert cast.client("signed_out").get(url_of(submission)).status_code == 302


def test_an_organiser_of_another_challenge_does_not(cast: Cast, submission: Submission) -> None:
    give_role(factories.make_challenge(), cast.stranger, "organiser", by=None)

    assert cast.client("stranger").get(url_of(submission)).status_code == 404


def test_unknown(cast: Cast) -> None:
    assert cast.client("participant").get("/submissions/999/archive/").status_code == 404


def test_an_archive_that_is_gone_is_no_crash(cast: Cast, submission: Submission) -> None:
    object_store().delete(submission.archive_key)

    assert cast.client("participant").get(url_of(submission)).status_code == 404


def test_takes_no_post(cast: Cast, submission: Submission) -> None:
    assert cast.client("participant").post(url_of(submission)).status_code == 405
