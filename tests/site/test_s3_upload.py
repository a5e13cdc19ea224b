"""An archive on its way to a real S3 server: straight from the browser, resumed, counted by what arrived."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from bayerboard.evaluations.models import Evaluation
from bayerboard.lib.storage import Part, PartsGone, object_store, s3
from bayerboard.lib.storage.s3 import S3Store
from bayerboard.submissions.models import Submission
from bayerboard.uploads.models import State
from tests import factories
from tests.fault_proxy import FaultProxy
from tests.patience import PATIENCE_S
from tests.s3_server import S3Server, objects_in
from tests.site import uploading
from tests.site.pages import Page
from tests.site.stored import leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.lib.storage.s3_address import S3Address
    from tests.factories import Cast


PART = 1000
CONTENT = os.urandom(2 * PART + 345)


@pytest.fixture(autouse=True)
def _small_parts(settings: Settings) -> None:
    settings.UPLOAD_PART_BYTES = PART


@pytest.fixture
def proxy(s3_server: S3Server, bucket: S3Address, settings: Settings, cast: Cast) -> Iterator[FaultProxy]:
    """Return the site speaks to the server through this; browsers do not."""
    with FaultProxy(s3_server.port) as proxy:
        settings.S3 = s3_server.address(
            bucket.bucket, endpoint_url=proxy.endpoint_url, public_url=s3_server.endpoint_url
        )
        yield proxy


def archives_in(bucket: S3Address) -> list[str]:
    return [key for key in objects_in(bucket) if key.startswith("archives/")]


def test_a_part_goes_straight_to_the_bucket(bucket: S3Address, cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))

    answer = uploading.sign(cast, upload, 1).json()

    assert answer["url"].startswith(f"{bucket.endpoint_url}/{bucket.bucket}/{upload.archive_key}?")
    assert (answer["method"], answer["headers"]) == ("PUT", {})
    assert uploading.put(cast, f"/uploads/{upload.pk}/parts/1/data/", b"x").status_code == 403


def test_parts_become_a_submission_without_a_copy(bucket: S3Address, cast: Cast, tmp_path: Path) -> None:
    content = factories.write_predictions(cast.phase, tmp_path / "p.zip").read_bytes()
    upload = uploading.uploaded(cast, content)

    assert uploading.submit(cast, upload).status_code == 302

    submission = Submission.objects.get()
    assert archives_in(bucket) == [submission.archive_key] == [upload.archive_key]
    with object_store().open(submission.archive_key) as stored:
        assert stored.read() == content
    assert leftovers() == []


def test_an_interrupted_upload_is_resumed_byte_for_byte(bucket: S3Address, cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT, [1])
    # the page is loaded again and asks what is there
    listed = cast.client("participant").get(f"/uploads/{upload.pk}/parts/").json()
    missing = set(range(1, listed["part_count"] + 1)) - {part["number"] for part in listed["parts"]}

    parts = [*listed["parts"], *uploading.send_parts(cast, upload, CONTENT, sorted(missing))]

    assert missing == {2, 3}
    assert uploading.complete(cast, upload, parts).json()["size_bytes"] == len(CONTENT)
    with object_store().open(upload.archive_key) as stored:
        assert stored.read() == CONTENT


@pytest.mark.parametrize("change", [-1, 1])
def test_a_part_of_another_size_than_announced(bucket: S3Address, cast: Cast, change: int) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    url = uploading.sign(cast, upload, 1).json()["url"]

    with pytest.raises(HTTPError) as refused:
        urlopen(Request(url, bytes(PART + change), method="PUT"), timeout=PATIENCE_S)

    with refused.value:
        assert refused.value.code == 403
    assert upload.arrived() == []


def test_parts_that_got_past_the_signature_are_counted(bucket: S3Address, cast: Cast) -> None:
    """Not every server checks the length that was signed: what is listed counts."""
    type(cast.phase).objects.update(max_archive_bytes=2500)
    upload = uploading.begin(cast, 2500)
    url = object_store().part_url(upload.archive_key, upload.parts_id, 1, 9000, 60)
    uploading.put_elsewhere(url, bytes(9000))

    response = uploading.complete(cast, upload, [])

    assert (response.status_code, response.json()["code"]) == (413, "archive-too-large")
    assert archives_in(bucket) == []


def test_an_object_that_is_not_what_was_announced_is_removed(
    bucket: S3Address, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT, [1])
    # a server whose list does not tell the truth
    listed = [Part(number, upload.bytes_of_part(number), parts[0]["etag"]) for number in (1, 2, 3)]
    complete = S3Store.complete_parts
    monkeypatch.setattr(S3Store, "list_parts", lambda *arguments: listed)
    monkeypatch.setattr(
        S3Store, "complete_parts", lambda store, key, parts_id, parts: complete(store, key, parts_id, listed[:1])
    )

    response = uploading.complete(cast, upload, parts)

    assert (response.status_code, response.json()["code"]) == (409, "upload-incomplete")
    assert archives_in(bucket) == []
    upload.refresh_from_db()
    assert upload.state == State.ABORTED


def test_aborting_leaves_nothing_in_the_bucket(bucket: S3Address, cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT, [1])

    cast.client("participant").delete(f"/uploads/{upload.pk}/")

    with pytest.raises(PartsGone):
        object_store().list_parts(upload.archive_key, upload.parts_id)
    assert archives_in(bucket) == []


def test_the_plain_form_goes_to_the_bucket_too(bucket: S3Address, cast: Cast, tmp_path: Path) -> None:
    response = cast.client("participant").post(cast.phase.submit_url(), factories.upload(cast.phase, tmp_path))

    assert response.status_code == 302
    assert archives_in(bucket) == [Submission.objects.get().archive_key]
    assert leftovers() == []


def test_a_download_is_sent_by_the_bucket(bucket: S3Address, cast: Cast) -> None:
    uploading.submit(cast, uploading.uploaded(cast, CONTENT))
    submission = Submission.objects.get()

    response = cast.client("teammate").get(f"{submission.get_absolute_url()}archive/")

    assert response.status_code == 302
    assert "no-store" in response["Cache-Control"]
    with urlopen(response["Location"], timeout=PATIENCE_S) as answer:
        assert answer.read() == CONTENT
        assert answer.headers["Content-Disposition"] == f'attachment; filename="submission-{submission.pk}.zip"'


def test_a_download_that_is_gone(bucket: S3Address, cast: Cast) -> None:
    uploading.submit(cast, uploading.uploaded(cast, CONTENT))
    submission = Submission.objects.get()
    object_store().delete(submission.archive_key)

    assert cast.client("participant").get(f"{submission.get_absolute_url()}archive/").status_code == 404


# --- While the storage fails ---


def assert_unavailable(response: Any) -> None:
    assert response.status_code == 503
    assert response.json()["code"] == "storage-unavailable"
    assert "try again" in response.json()["hint"]
    assert response["Retry-After"] == "30"


def test_opening_while_the_storage_fails(proxy: FaultProxy, cast: Cast) -> None:
    proxy.fault = "error"

    assert_unavailable(uploading.open_upload(cast, len(CONTENT)))

    proxy.fault = ""
    assert uploading.open_upload(cast, len(CONTENT)).status_code == 201


def test_completing_while_the_storage_fails_loses_nothing(proxy: FaultProxy, cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)
    proxy.fault = "error"

    assert_unavailable(uploading.complete(cast, upload, parts))

    proxy.fault = ""
    assert uploading.complete(cast, upload, parts).status_code == 200
    assert uploading.submit(cast, upload).status_code == 302
    with object_store().open(Submission.objects.get().archive_key) as stored:
        assert stored.read() == CONTENT


def test_a_completion_whose_answers_were_lost(proxy: FaultProxy, cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)
    proxy.fault, proxy.when = "lost", lambda method, path: method == "POST"

    assert_unavailable(uploading.complete(cast, upload, parts))

    # the bucket did it all the same, which is found out the next time
    proxy.fault = ""
    assert uploading.complete(cast, upload, parts).json()["state"] == "complete"
    with object_store().open(upload.archive_key) as stored:
        assert stored.read() == CONTENT


def test_submitting_what_is_complete_needs_no_storage(proxy: FaultProxy, cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    proxy.fault = "error"

    assert uploading.submit(cast, upload).status_code == 302
    assert Evaluation.objects.count() == 1


def test_the_plain_form_while_the_storage_fails(proxy: FaultProxy, cast: Cast, tmp_path: Path) -> None:
    proxy.fault = "error"
    fields = factories.upload(cast.phase, tmp_path, description="Twelve layers")

    response = cast.client("participant").post(cast.phase.submit_url(), fields)

    assert response.status_code == 503
    assert response.context["refusal"].code == "storage-unavailable"
    assert "Twelve layers" in Page(response).html  # what was typed is not lost either
    assert not Submission.objects.exists()
    assert leftovers() == []


def test_a_download_while_the_storage_fails(proxy: FaultProxy, cast: Cast) -> None:
    uploading.submit(cast, uploading.uploaded(cast, CONTENT))
    proxy.fault = "error"

    response = cast.client("participant").get(f"{Submission.objects.get().get_absolute_url()}archive/")

    page = Page(response)
    assert response.status_code == 503
    assert "storage-unavailable" in page.text
    assert "try again in a minute" in page.text
    assert page.violations == []


def test_a_page_is_not_kept_waiting_by_a_server_that_hangs(
    proxy: FaultProxy, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert s3.TRIES * (s3.CONNECT_TIMEOUT_S + s3.READ_TIMEOUT_S) < 60
    monkeypatch.setattr(s3, "READ_TIMEOUT_S", 0.2)
    s3._client.cache_clear()
    proxy.fault = "hang"

    assert_unavailable(uploading.open_upload(cast, len(CONTENT)))

    s3._client.cache_clear()
