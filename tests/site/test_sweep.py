"""What is swept, and what never is; on the local disk and on a real S3 server."""

from __future__ import annotations

import os
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bayerboard.lib.storage import PartsGone, StorageUnavailable, object_store
from bayerboard.operations.sweep import clear_storage, give_up_abandoned, sweep
from bayerboard.submissions.models import Submission
from bayerboard.uploads import models
from bayerboard.uploads.models import State, Upload
from tests import factories
from tests.site import uploading
from workers.sweep import sweep_storage, sweep_uploads

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pytest_django import Settings

    from tests.factories import Cast

pytestmark = pytest.mark.database

PART = 1000
CONTENT = os.urandom(2 * PART + 345)


@pytest.fixture(params=["disk", "s3"], autouse=True)
def _store(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.UPLOAD_PART_BYTES = PART
    if request.param == "s3":
        request.getfixturevalue("bucket")


def keys() -> list[str]:
    return [stored.key for stored in object_store().objects("archives/")]


def later(**delay: float) -> datetime:
    return timezone.now() + timedelta(**delay)


def assert_parts_are_gone(upload: Upload) -> None:
    with pytest.raises(PartsGone):
        object_store().list_parts(upload.archive_key, upload.parts_id)


def test_an_abandoned_upload_is_given_up_and_cleared(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT, [1])

    assert give_up_abandoned(later(minutes=34)) == 0
    assert give_up_abandoned(later(minutes=36)) == 1

    upload.refresh_from_db()
    assert upload.state == State.ABORTED
    assert upload.cleared_at is not None
    assert_parts_are_gone(upload)


def test_what_is_complete_waits_a_day_for_its_submission(cast: Cast) -> None:
    uploading.uploaded(cast, CONTENT)

    assert give_up_abandoned(later(hours=23)) == 0
    assert len(keys()) == 1
    assert give_up_abandoned(later(hours=25)) == 1
    assert keys() == []


def test_what_was_submitted_stays(cast: Cast, tmp_path: Path) -> None:
    uploading.submit(cast, uploading.uploaded(cast, CONTENT))
    factories.make_submission(cast.phase, cast.team, tmp_path)

    swept = sweep(later(days=1000))

    assert (swept.uploads, swept.archives) == (0, 0)
    assert set(keys()) == set(Submission.objects.values_list("archive_key", flat=True))
    assert Upload.objects.count() == 2


def test_what_is_being_uploaded_stays(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT, [1])
    complete = uploading.uploaded(cast, CONTENT)

    clear_storage(later(days=2))

    assert [part.number for part in upload.arrived()] == [1]
    assert keys() == [complete.archive_key]


def test_an_archive_without_a_row_is_removed_after_a_day(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "left"
    file.write_bytes(b"by a process that was killed")
    object_store().put("archives/left.zip", file)

    assert clear_storage(later(hours=23))[0] == 0
    assert clear_storage(later(hours=25))[0] == 1
    assert keys() == []


def test_references_inputs_and_downloads_are_not_touched(cast: Cast) -> None:
    version = cast.phase.published_version
    assert version is not None
    assert cast.phase.input_set is not None

    sweep(later(days=1000))

    assert object_store().exists(version.reference_set.storage_key)
    assert object_store().exists(cast.phase.input_set.storage_key)


def test_parts_without_an_upload_are_cleared(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    Upload.objects.all().delete()

    assert clear_storage(later(hours=25)) == (0, 1)
    assert_parts_are_gone(upload)


def test_a_submission_that_is_faster_than_the_sweep_keeps_its_archive(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    unsubmitted = models.UploadQuerySet.abort

    def after_a_submission(uploads: models.UploadQuerySet) -> int:
        monkeypatch.undo()
        assert uploading.submit(cast, upload).status_code == 302
        return unsubmitted(uploads)

    monkeypatch.setattr(models.UploadQuerySet, "abort", after_a_submission)

    assert give_up_abandoned(later(hours=25)) == 0
    assert keys() == [Submission.objects.get().archive_key]


def test_a_submission_that_is_slower_than_the_sweep_is_refused(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    read_before = Upload.objects.get(pk=upload.pk)
    Upload.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    give_up_abandoned()

    assert not read_before.hand_over(1)
    assert uploading.submit(cast, upload).context["refusal"].code == "upload-not-complete"
    assert not Submission.objects.exists()


def test_a_completion_that_is_slower_than_the_sweep_leaves_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)
    store = type(object_store())
    complete = store.complete_parts

    def sweep_meanwhile(self: object, *arguments: object) -> None:
        complete(self, *arguments)  # type: ignore[arg-type]
        Upload.objects.abort()

    monkeypatch.setattr(store, "complete_parts", sweep_meanwhile)

    response = uploading.complete(cast, upload, parts)

    assert (response.status_code, response.json()["code"]) == (409, "upload-ended")
    assert keys() == []


def test_what_could_not_be_cleared_is_cleared_the_next_time(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT, [1])

    def fail(*arguments: object) -> None:
        raise StorageUnavailable("on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(type(object_store()), "abort_parts", fail)
        assert upload.abort()
        sweep_uploads()
    assert [part.number for part in object_store().list_parts(upload.archive_key, upload.parts_id)] == [1]

    sweep_uploads()

    assert_parts_are_gone(upload)
    upload.refresh_from_db()
    assert upload.cleared_at is not None


def test_what_was_given_up_is_forgotten_after_a_while(cast: Cast) -> None:
    uploading.begin(cast, len(CONTENT)).abort()

    give_up_abandoned(later(hours=23))
    assert Upload.objects.count() == 1
    give_up_abandoned(later(hours=25))
    assert Upload.objects.count() == 0


def test_the_command(cast: Cast) -> None:
    uploading.begin(cast, len(CONTENT))
    Upload.objects.update(finish_before=timezone.now() - timedelta(hours=1))
    output = StringIO()

    call_command("sweep", stdout=output)

    assert output.getvalue() == "1 uploads given up, 0 archives and 0 leftovers removed.\n"


def test_the_command_while_the_storage_fails(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise StorageUnavailable("on purpose")

    monkeypatch.setattr(type(object_store()), "objects", fail)

    with pytest.raises(CommandError, match="does not answer: on purpose"):
        call_command("sweep")


def test_the_task_of_every_hour(cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    uploading.begin(cast, len(CONTENT))
    Upload.objects.all().delete()
    monkeypatch.setattr("bayerboard.operations.sweep.KEPT_ORPHANED", timedelta(hours=-1))

    sweep_storage()

    assert "0 archives and 1 leftovers removed" in caplog.text


def test_the_task_of_every_hour_while_the_storage_fails(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise StorageUnavailable("on purpose")

    monkeypatch.setattr(type(object_store()), "objects", fail)

    sweep_storage()

    assert "does not answer: on purpose" in caplog.text
