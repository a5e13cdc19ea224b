"""A form that names an upload in place of a file."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.submissions.models import Submission
from bayerboard.uploads.models import State, Upload
from tests import factories
from tests.site import uploading
from tests.site.stored import archives

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

pytestmark = pytest.mark.database

CONTENT = bytes(range(256)) * 8


@pytest.mark.parametrize("role", ["rival", "stranger"])
def test_nobody_submits_the_upload_of_another_team(cast: Cast, role: str) -> None:
    upload = uploading.uploaded(cast, CONTENT)

    response = uploading.submit(cast, upload, role)

    assert response.context["refusal"].code == {"rival": "upload-unknown", "stranger": "not-a-participant"}[role]
    assert not Submission.objects.exists()
    upload.refresh_from_db()
    assert upload.state == State.COMPLETE


def test_a_teammate_submits_it(cast: Cast) -> None:
    assert uploading.submit(cast, uploading.uploaded(cast, CONTENT), "teammate").status_code == 302
    assert Submission.objects.get().submitted_by == cast.teammate


@pytest.mark.parametrize(("value", "field_error"), [(str(uuid.UUID(int=1)), False), ("x", True)])
def test_an_upload_that_is_none(cast: Cast, value: str, field_error: bool) -> None:
    fields = {"upload": value, "method_name": "x", "complete": "1"}

    response = cast.client("participant").post(cast.phase.submit_url(), fields)

    assert response.status_code == 400
    assert bool(response.context["form"].errors) == field_error
    assert not Submission.objects.exists()


def test_an_upload_that_is_not_complete(cast: Cast) -> None:
    response = uploading.submit(cast, uploading.begin(cast, len(CONTENT)))

    assert response.status_code == 400
    assert response.context["refusal"].code == "upload-not-complete"


def test_an_upload_for_another_phase(cast: Cast, tmp_path: Path) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    Upload.objects.update(phase=factories.make_phase(tmp_path, cast.challenge))

    assert uploading.submit(cast, upload).context["refusal"].code == "upload-unknown"


def test_a_form_with_mistakes_keeps_the_upload(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)

    response = uploading.submit(cast, upload, method_name="")

    assert response.status_code == 400
    assert f'value="{upload.pk}"' in response.content.decode()
    assert uploading.submit(cast, upload).status_code == 302


def test_submitting_needs_the_csrf_token(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    form = {"upload": str(upload.pk), "method_name": "x", "complete": "1"}

    for ends_at in (None, cast.phase.starts_at):
        type(cast.phase).objects.update(ends_at=ends_at)
        client = cast.client("participant", enforce_csrf_checks=True)
        assert client.post(cast.phase.submit_url(), form).status_code == 403
    assert not Submission.objects.exists()


def test_the_idempotency_key_may_come_as_a_header(cast: Cast) -> None:
    client, uploads = cast.client("participant"), [uploading.uploaded(cast, CONTENT) for _ in range(2)]

    answers = [
        client.post(
            cast.phase.submit_url(),
            {"upload": str(upload.pk), "method_name": "x", "complete": "1"},
            headers={"Idempotency-Key": "a-key-of-the-sender"},
        )
        for upload in uploads
    ]

    assert answers[0]["Location"] == answers[1]["Location"]
    assert Submission.objects.get().idempotency_key == "a-key-of-the-sender"
    assert len(archives()) == 1


def test_a_closed_phase_says_so_whether_the_field_is_empty_or_not_there(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    plain = factories.upload(cast.phase, tmp_path)

    for fields in (plain, {"upload": "", **factories.upload(cast.phase, tmp_path)}):
        response = cast.client("participant").post(cast.phase.submit_url(), fields)
        assert (response.status_code, response.context["refusal"].code) == (403, "phase-closed")


def test_a_form_with_an_empty_field_and_a_file(cast: Cast, tmp_path: Path) -> None:
    fields = {"upload": "", **factories.upload(cast.phase, tmp_path)}

    assert cast.client("participant").post(cast.phase.submit_url(), fields).status_code == 302
