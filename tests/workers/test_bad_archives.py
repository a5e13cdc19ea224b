"""Every bad archive, sent through the page and scored: its code, the file's name, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayerboard.evaluations.models import Status
from bayerboard.lib.storage import object_store
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import quota_of
from scoring.problems import CATALOGUE
from tests import factories
from tests.scoring.archives import BAD_ARCHIVES, OF_OTHER_CONTAINERS
from tests.site.pages import Page
from workers.score import score_next

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

# Refused before it is a submission, like every request without a file.
REFUSED = frozenset({"archive-empty"})
CODES = sorted(BAD_ARCHIVES.keys() - REFUSED)


def send(cast: Cast, tmp_path: Path, code: str) -> Submission:
    archive = BAD_ARCHIVES[code](tmp_path / "bad.zip", factories.reference_images(cast.phase))
    fields = factories.upload(cast.phase, tmp_path, archive=archive.read_bytes())
    response = cast.client("participant").post(cast.phase.submit_url(), fields)
    assert response.status_code == 302, code
    score_next()
    return Submission.objects.latest("pk")


def is_told(cast: Cast, submission: Submission, code: str) -> bool:
    """Whether the submission was rejected by the code, and its page says all of it."""
    evaluation = submission.evaluation
    error = next((error for error in evaluation.errors if error["code"] == code), None)
    if evaluation.status != Status.REJECTED or error is None or not (error["file"] and error["hint"]):
        return False
    page = Page(cast.client("participant").get(submission.get_absolute_url()))
    told = all(" ".join(text.split()) in page.text for text in (code, error["message"], error["hint"]))
    return told and error["file"] in error["message"]


def test_each_is_rejected_with_its_code_and_what_to_do_is_kept_and_costs_no_quota(cast: Cast, tmp_path: Path) -> None:
    sent = {code: send(cast, tmp_path, code) for code in CODES}

    assert [code for code, submission in sent.items() if not is_told(cast, submission, code)] == []
    assert [code for code, submission in sent.items() if not object_store().exists(submission.archive_key)] == []
    assert [code for code, submission in sent.items() if len(submission.archive_sha256) != 64] == []
    quota = quota_of(cast.phase, cast.team)
    assert (quota.used_today, quota.used_total, quota.rejected) == (0, 0, len(CODES))


@pytest.mark.parametrize("role", ["rival", "stranger"])
def test_its_errors_are_nobody_elses(cast: Cast, tmp_path: Path, role: str) -> None:
    submission = send(cast, tmp_path, "image-missing")

    response = cast.client(role).get(submission.get_absolute_url())

    assert response.status_code == 404
    assert "image-missing" not in response.content.decode()


def test_there_is_an_archive_for_every_error_of_the_catalogue() -> None:
    assert set(CODES) | REFUSED | OF_OTHER_CONTAINERS == {
        code for code, entry in CATALOGUE.items() if entry.level == "error"
    }


def test_several_problems_are_told_at_once(cast: Cast, tmp_path: Path) -> None:
    images = factories.reference_images(cast.phase)
    archive = factories.write_zip(tmp_path / "sent.zip", {"6_0": images["6_0"][:-1], "7_7": images["6_2"]})
    submission = factories.make_submission(cast.phase, cast.team, tmp_path, archive=archive)

    score_next()

    told = {(error["code"], error["file"]) for error in submission.evaluation.errors}
    assert told == {("wrong-shape", "6_0.npy"), ("image-missing", "6_2.npy"), ("image-surplus", "7_7.npy")}
