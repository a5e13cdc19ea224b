"""Requests that are refused: the reason with what to do on the page, and nothing stored."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import check_quota
from bayerboard.uploads.receiving import FIELDS_AT_MOST_BYTES, receive_on_disk
from scoring.problems import CATALOGUE
from tests import factories
from tests.site.pages import Page
from tests.site.stored import archives, assert_nothing_stored, leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

pytestmark = pytest.mark.database


def send(cast: Cast, tmp_path: Path, role: str = "participant", **fields: Any) -> Any:
    return cast.client(role).post(cast.phase.submit_url(), factories.upload(cast.phase, tmp_path, **fields))


def assert_refused(response: Any, code: str, status: int = 403) -> None:
    """Return the page names the problem in the catalogue's words, and says what to do."""
    refusal = response.context["refusal"]
    page = Page(response)
    assert response.status_code == status
    assert refusal.code == code
    assert CATALOGUE[code].level in {"refusal", "error"}
    assert refusal.message in page.text
    assert refusal.hint in page.text


def test_not_a_participant(cast: Cast, tmp_path: Path) -> None:
    assert_refused(send(cast, tmp_path, "stranger"), "not-a-participant")
    assert_nothing_stored()


def test_phase_not_open(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(starts_at=timezone.now() + timedelta(minutes=1))

    assert_refused(send(cast, tmp_path), "phase-not-open")
    assert_nothing_stored()


def test_phase_closed(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(ends_at=timezone.now() - timedelta(seconds=1))

    assert_refused(send(cast, tmp_path), "phase-closed")
    assert_nothing_stored()


def test_inputs_not_released(cast: Cast, tmp_path: Path) -> None:
    """An archive without an image would be told the names of all."""
    type(cast.phase).objects.update(inputs_released_at=timezone.now() + timedelta(minutes=1))

    assert_refused(send(cast, tmp_path), "inputs-not-released")
    assert_nothing_stored()


def test_phase_not_ready(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(published_version=None)

    assert_refused(send(cast, tmp_path), "phase-not-ready")
    assert_nothing_stored()


@pytest.mark.parametrize(
    ("quota", "code"),
    [({"quota_per_day": 1}, "quota-day-used"), ({"quota_total": 1}, "quota-total-used")],
)
@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_quota_used(cast: Cast, tmp_path: Path, quota: dict[str, int], code: str, role: str) -> None:
    type(cast.phase).objects.update(**quota)
    factories.make_submission(cast.phase, cast.team, tmp_path)

    assert_refused(send(cast, tmp_path, role), code)
    assert Submission.objects.count() == 1
    assert len(archives()) == 1
    assert leftovers() == []


def test_rejected_attempts_used(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(quota_per_day=1, quota_total=1)
    for _ in range(10):
        submission = factories.make_submission(cast.phase, cast.team, tmp_path)
        Evaluation.objects.filter(submission=submission).update(status=Status.REJECTED)

    assert_refused(send(cast, tmp_path), "rejected-attempts-used")
    assert Submission.objects.count() == 10


def test_sending_and_cancelling_has_an_end_too(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(quota_per_day=1, quota_total=1)
    for _ in range(10):
        factories.make_submission(cast.phase, cast.team, tmp_path).evaluation.cancel()

    assert_refused(send(cast, tmp_path), "rejected-attempts-used")


def test_quota_that_is_used_up_while_the_archive_arrives(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    type(cast.phase).objects.update(quota_total=1)
    factories.make_submission(cast.phase, cast.team, tmp_path)
    # at the request's beginning the teammate's submission was not there
    monkeypatch.setattr("bayerboard.pages.submit.check_accepts", lambda *arguments: None)

    assert_refused(send(cast, tmp_path), "quota-total-used")
    assert Submission.objects.count() == 1
    assert len(archives()) == 1
    assert leftovers() == []


def test_quota_that_is_used_up_at_the_last_moment(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type(cast.phase).objects.update(quota_total=1)
    factories.make_submission(cast.phase, cast.team, tmp_path)
    monkeypatch.setattr("bayerboard.pages.submit.check_accepts", lambda *arguments: None)
    # in `submit`, only the check under the entry's lock sees it
    looks = iter([False, True])
    check = check_quota
    monkeypatch.setattr(
        "bayerboard.submissions.submit.check_quota",
        lambda phase, team: check(phase, team) if next(looks) else None,
    )

    assert_refused(send(cast, tmp_path), "quota-total-used")
    assert Submission.objects.count() == 1
    assert len(archives()) == 1
    assert leftovers() == []


def test_no_file(cast: Cast, tmp_path: Path) -> None:
    fields = factories.upload(cast.phase, tmp_path)
    del fields["archive"]

    assert_refused(cast.client("participant").post(cast.phase.submit_url(), fields), "archive-missing", 400)
    assert_nothing_stored()


def test_a_form_that_is_not_multipart(cast: Cast) -> None:
    fields = "method_name=x&archive=y&complete=1"

    response = cast.client("participant").post(
        cast.phase.submit_url(), fields, content_type="application/x-www-form-urlencoded"
    )

    assert_refused(response, "archive-missing", 400)


def test_an_empty_file(cast: Cast, tmp_path: Path) -> None:
    response = send(cast, tmp_path, archive=b"")

    assert_refused(response, "archive-empty", 400)
    assert "predictions.zip" in response.context["refusal"].message
    assert_nothing_stored()


def test_the_deadline_counts_when_the_upload_begins(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = type(cast.phase).objects.filter(pk=cast.phase.pk).update
    receive = receive_on_disk

    def receive_slowly(*arguments: Any) -> Any:
        close(ends_at=timezone.now())
        return receive(*arguments)

    monkeypatch.setattr("bayerboard.pages.submit.receive_on_disk", receive_slowly)

    assert send(cast, tmp_path).status_code == 302
    assert Submission.objects.count() == 1
    assert send(cast, tmp_path).status_code == 403


def test_what_was_refused_is_read_to_its_end(cast: Cast, tmp_path: Path) -> None:
    """A server that closes the connection earlier makes a browser show its own error instead of the answer."""
    type(cast.phase).objects.update(ends_at=timezone.now() - timedelta(seconds=1))

    response = send(cast, tmp_path)

    assert response.wsgi_request.read() == b""
    assert_nothing_stored()


def test_a_form_that_is_surely_too_large_is_not_received(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("the upload was received")

    monkeypatch.setattr("bayerboard.pages.submit.receive_on_disk", fail)
    type(cast.phase).objects.update(max_archive_bytes=1000)

    response = send(cast, tmp_path, archive=bytes(FIELDS_AT_MOST_BYTES + 2000))

    assert_refused(response, "archive-too-large", 400)
    assert_nothing_stored()
