"""Sending a submission."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bayerboard.evaluations.models import SCORE_TASK, Evaluation, Status
from bayerboard.lib.storage import object_store
from bayerboard.submissions.models import Submission
from tests import factories
from tests.site.pages import Page
from tests.site.stored import archives, assert_nothing_stored, leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import DjangoCaptureOnCommitCallbacks

    from tests.factories import Cast

pytestmark = pytest.mark.database


def send(cast: Cast, tmp_path: Path, role: str = "participant", **fields: Any) -> Any:
    return cast.client(role).post(cast.phase.submit_url(), factories.upload(cast.phase, tmp_path, **fields))


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_a_good_archive_becomes_a_submission(cast: Cast, role: str, tmp_path: Path) -> None:
    response = send(cast, tmp_path, role)

    submission = Submission.objects.get()
    assert response["Location"] == submission.get_absolute_url()
    assert submission.entry.team == cast.team
    assert submission.submitted_by == cast.user(role)
    assert (submission.method_name, submission.description) == ("Learned inverse", "A small U-Net.")


def test_the_archive_is_stored_as_it_was_sent(cast: Cast, tmp_path: Path) -> None:
    send(cast, tmp_path, archive=b"PK any bytes at all")

    submission = Submission.objects.get()
    with object_store().open(submission.archive_key) as stored:
        assert stored.read() == b"PK any bytes at all"
    assert submission.archive_size_bytes == 19
    assert leftovers() == []


def test_its_evaluation_is_queued(cast: Cast, tmp_path: Path) -> None:
    send(cast, tmp_path)

    evaluation = Evaluation.objects.get()
    assert evaluation.status == Status.QUEUED
    assert evaluation.scoring_version == cast.phase.published_version
    assert not evaluation.is_staged


def test_a_worker_is_woken_once_the_submission_is_committed(
    cast: Cast,
    tmp_path: Path,
    published: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        send(cast, tmp_path)
    assert published == []

    for callback in callbacks:
        callback()
    assert published == [(SCORE_TASK, {})]


def test_the_key_in_the_storage_tells_nothing(cast: Cast, tmp_path: Path) -> None:
    send(cast, tmp_path)

    assert re.fullmatch(r"archives/[0-9a-f]{32}\.zip", Submission.objects.get().archive_key)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\results.zip", "results.zip"),
        ("a\u202ezip.exe", "azip.exe"),
        ("画素.zip", "画素.zip"),
        ("x" * 300 + ".zip", "x" * 251 + ".zip"),
        ("<b>bold</b>.zip", "b>.zip"),
    ],
)
def test_the_archives_name_is_cleaned(cast: Cast, tmp_path: Path, sent: str, kept: str) -> None:
    fields = factories.upload(cast.phase, tmp_path)
    fields["archive"]._name = sent

    cast.client("participant").post(cast.phase.submit_url(), fields)

    assert Submission.objects.get().archive_name == kept


def test_a_form_with_mistakes_is_shown_again(cast: Cast, tmp_path: Path) -> None:
    response = send(cast, tmp_path, method_name="")

    assert response.status_code == 400
    assert "This field is required." in Page(response).text
    assert_nothing_stored()


@pytest.mark.parametrize(
    "fields",
    [{"method_name": "x" * 81}, {"method_name": "a\0b"}, {"description": "x" * 2001}, {"description": "a\0b"}],
    ids=["long name", "NUL in the name", "long description", "NUL in the description"],
)
def test_odd_text_is_refused(cast: Cast, tmp_path: Path, fields: dict[str, str]) -> None:
    response = send(cast, tmp_path, **fields)

    assert response.status_code == 400
    assert 'class="errors"' in Page(response).html
    assert_nothing_stored()


def test_what_was_typed_is_kept_when_the_form_comes_back(cast: Cast, tmp_path: Path) -> None:
    page = Page(send(cast, tmp_path, method_name="", description="Twelve <layers>"))

    assert "Twelve &lt;layers&gt;" in page.html


def test_a_stranger_stores_nothing(cast: Cast, tmp_path: Path) -> None:
    response = send(cast, tmp_path, "stranger")

    assert response.status_code == 403
    assert response.context["refusal"].code == "not-a-participant"
    assert_nothing_stored()


def test_signed_out(cast: Cast, tmp_path: Path) -> None:
    assert send(cast, tmp_path, "signed_out")["Location"].startswith("/accounts/login/")
    assert_nothing_stored()


def test_needs_the_csrf_token(cast: Cast, tmp_path: Path) -> None:
    client = cast.client("participant", enforce_csrf_checks=True)

    response = client.post(cast.phase.submit_url(), factories.upload(cast.phase, tmp_path))

    assert response.status_code == 403
    assert_nothing_stored()


def test_takes_the_csrf_token_of_the_form(cast: Cast, tmp_path: Path) -> None:
    client = cast.client("participant", enforce_csrf_checks=True)
    token = client.get(cast.phase.submit_url()).context["csrf_token"]

    fields = factories.upload(cast.phase, tmp_path, csrfmiddlewaretoken=str(token))

    assert client.post(cast.phase.submit_url(), fields).status_code == 302


def test_a_stranger_is_refused_before_the_body_is_read(cast: Cast, tmp_path: Path, monkeypatch: Any) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("the upload was received")

    monkeypatch.setattr("bayerboard.pages.submit.receive_on_disk", fail)

    assert send(cast, tmp_path, "stranger").status_code == 403


def test_unknown_phase(cast: Cast, tmp_path: Path) -> None:
    url = f"{cast.phase.track.get_absolute_url()}nothing/submit/"

    assert cast.client("participant").post(url, factories.upload(cast.phase, tmp_path)).status_code == 404
    assert_nothing_stored()


def test_the_request_succeeds_without_a_broker(
    cast: Cast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr("bayerboard.lib.tasks.app.send_task", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        response = send(cast, tmp_path)

    assert response.status_code == 302
    assert Evaluation.objects.get().status == Status.QUEUED


def test_a_crash_while_recording_makes_no_submission_and_takes_no_archive_away(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object, **options: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("bayerboard.submissions.submit.queue_evaluation", crash)
    client = cast.client("participant", raise_request_exception=False)

    response = client.post(cast.phase.submit_url(), factories.upload(cast.phase, tmp_path))

    assert response.status_code == 500
    # Whether the database committed is not known here: an archive too many is better than one too few.
    assert len(archives()) == 1
    assert leftovers() == []
    assert not Submission.objects.exists()
