"""An archive that arrives in parts, from the first request to the submission."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.lib.storage import LocalDisk, object_store
from bayerboard.submissions.models import Submission
from bayerboard.uploads.models import State, Upload
from tests import factories
from tests.site import uploading
from tests.site.stored import archives, assert_nothing_stored, leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from tests.factories import Cast

pytestmark = pytest.mark.database

PART = 1000
CONTENT = os.urandom(2 * PART + 345)


@pytest.fixture(autouse=True)
def _small_parts(settings: Settings) -> None:
    settings.UPLOAD_PART_BYTES = PART


def test_the_plan_of_an_upload(cast: Cast) -> None:
    response = uploading.open_upload(cast, len(CONTENT))

    upload = Upload.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "upload": str(upload.pk),
        "state": "open",
        "filename": "predictions.zip",
        "size_bytes": 2345,
        "part_size_bytes": 1000,
        "part_count": 3,
        "finish_before": upload.finish_before.isoformat(),
        "submission": None,
    }
    assert upload.finish_before - upload.opened_at == timedelta(minutes=30)
    assert (upload.phase, upload.team, upload.opened_by) == (cast.phase, cast.team, cast.participant)


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_parts_in_any_order_make_the_archive(cast: Cast, order: tuple[int, ...]) -> None:
    upload = uploading.begin(cast, len(CONTENT))

    response = uploading.complete(cast, upload, uploading.send_parts(cast, upload, CONTENT, order))

    assert response.json() == {"upload": str(upload.pk), "state": "complete", "size_bytes": len(CONTENT)}
    with object_store().open(upload.archive_key) as stored:
        assert stored.read() == CONTENT
    assert leftovers() == []


def test_a_completed_upload_becomes_a_submission(cast: Cast, tmp_path: Path) -> None:
    content = factories.write_predictions(cast.phase, tmp_path / "p.zip").read_bytes()

    response = uploading.submit(cast, uploading.uploaded(cast, content))

    submission = Submission.objects.get()
    assert response["Location"] == submission.get_absolute_url()
    assert (submission.archive_name, submission.archive_size_bytes) == ("predictions.zip", len(content))
    with object_store().open(submission.archive_key) as stored:
        assert stored.read() == content
    assert Evaluation.objects.get().status == Status.QUEUED


def test_what_has_arrived_is_listed(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT, [3, 1])

    listed = cast.client("teammate").get(f"/uploads/{upload.pk}/parts/").json()

    assert [(part["number"], part["size_bytes"]) for part in listed["parts"]] == [(1, 1000), (3, 345)]
    assert listed["parts"][0]["etag"] == f'"{hashlib.md5(CONTENT[:PART]).hexdigest()}"'
    assert listed["part_count"] == 3


def test_a_repeated_part_replaces_the_earlier_one(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, bytes(len(CONTENT)))

    uploading.complete(cast, upload, uploading.send_parts(cast, upload, CONTENT))

    with object_store().open(upload.archive_key) as stored:
        assert stored.read() == CONTENT


def test_completing_twice_answers_the_same(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)

    first, second = (uploading.complete(cast, upload, parts) for _ in range(2))

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len(archives()) == 1


def assert_refused(response: Any, status: int, code: str) -> None:
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code)
    assert body["message"]
    assert body["hint"]


def test_a_missing_part(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT, [1, 3])

    response = uploading.complete(cast, upload, parts)

    assert_refused(response, 409, "upload-incomplete")
    assert "1345 of 2345" in response.json()["message"]
    # and it can still be sent
    uploading.send_parts(cast, upload, CONTENT, [2])
    assert uploading.complete(cast, upload, parts).status_code == 200


def test_a_part_that_is_not_the_one_that_was_sent(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)
    parts[1]["etag"] = '"00"'

    assert_refused(uploading.complete(cast, upload, parts), 409, "upload-incomplete")


@pytest.mark.parametrize("data", [b"", CONTENT[: PART - 1], CONTENT[: PART + 1]], ids=["empty", "shorter", "longer"])
def test_a_part_of_another_size(cast: Cast, data: bytes) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    url = uploading.sign(cast, upload, 1).json()["url"]

    assert_refused(uploading.put(cast, url, data), 400, "part-wrong-size")
    assert upload.arrived() == []


def test_the_deadline_is_judged_when_the_upload_is_opened(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    type(cast.phase).objects.update(ends_at=timezone.now())

    parts = uploading.send_parts(cast, upload, CONTENT)
    assert uploading.complete(cast, upload, parts).status_code == 200
    assert uploading.submit(cast, upload).status_code == 302

    assert_refused(uploading.open_upload(cast, 1), 403, "phase-closed")


def test_after_the_time_to_finish_a_closed_phase_takes_nothing(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    type(cast.phase).objects.update(ends_at=timezone.now())
    Upload.objects.update(finish_before=timezone.now())

    response = uploading.submit(cast, upload)

    assert response.context["refusal"].code == "phase-closed"
    assert_nothing_stored()


def test_what_was_not_finished_in_time(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    url = uploading.sign(cast, upload, 1).json()["url"]
    Upload.objects.update(finish_before=timezone.now())

    assert_refused(uploading.put(cast, url, CONTENT[:PART]), 410, "upload-expired")
    assert_refused(uploading.sign(cast, upload, 1), 410, "upload-expired")
    assert_refused(uploading.complete(cast, upload, []), 410, "upload-expired")


def test_an_upload_is_submitted_once(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)

    first = uploading.submit(cast, upload, idempotency_key="first-key")
    again = uploading.submit(cast, upload, idempotency_key="second-key")

    assert first["Location"] == again["Location"]
    assert Submission.objects.count() == 1
    assert len(archives()) == 1


def test_aborting_removes_what_arrived(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT, [1])

    response = cast.client("teammate").delete(f"/uploads/{upload.pk}/")

    assert response.json() == {"upload": str(upload.pk), "state": "aborted"}
    assert_nothing_stored()
    assert_refused(uploading.sign(cast, upload, 2), 409, "upload-ended")


def test_what_is_submitted_cannot_be_aborted(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    uploading.submit(cast, upload)

    assert cast.client("participant").delete(f"/uploads/{upload.pk}/").json()["state"] == "complete"
    assert Upload.objects.get().state == State.COMPLETE
    assert len(archives()) == 1


@pytest.mark.parametrize("moment", ["list_parts", "complete_parts", "size_bytes"])
def test_an_upload_that_is_given_up_while_it_is_completed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)
    step = getattr(LocalDisk, moment)

    def after_it_was_given_up(*arguments: Any) -> Any:
        assert upload.abort()
        return step(*arguments)

    monkeypatch.setattr(LocalDisk, moment, after_it_was_given_up)

    response = uploading.complete(cast, upload, parts)

    assert_refused(response, 409, "upload-ended")
    assert_nothing_stored()


def test_an_upload_whose_parts_the_storage_lost(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)
    object_store().abort_parts(upload.archive_key, upload.parts_id)

    assert_refused(uploading.complete(cast, upload, parts), 409, "upload-ended")
    assert Upload.objects.get().state == State.ABORTED
