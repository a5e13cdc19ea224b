"""Archives that are too large or do not arrive whole: bounded by what arrives, and nothing is left behind."""

from __future__ import annotations

import errno
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from bayerboard.submissions.models import Submission
from tests import factories
from tests.site.pages import Page
from tests.site.stored import assert_nothing_stored

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

pytestmark = pytest.mark.database

LIMIT = 200_000


def encode(cast: Cast, tmp_path: Path, **fields: Any) -> bytes:
    return encode_multipart(BOUNDARY, factories.upload(cast.phase, tmp_path, **fields))


def post(cast: Cast, body: bytes, **headers: Any) -> Any:
    return cast.client("participant").generic("POST", cast.phase.submit_url(), body, MULTIPART_CONTENT, **headers)


def post_over(cast: Cast, connection: BytesIO, announced_bytes: int, **options: Any) -> Any:
    headers: dict[str, Any] = {
        "CONTENT_TYPE": MULTIPART_CONTENT,
        "CONTENT_LENGTH": str(announced_bytes),
        "wsgi.input": connection,
    }
    return cast.client("participant", **options).generic("POST", cast.phase.submit_url(), **headers)


@pytest.fixture(autouse=True)
def _limit(cast: Cast) -> None:
    type(cast.phase).objects.update(max_archive_bytes=LIMIT)


def test_an_archive_of_exactly_the_limit_is_taken(cast: Cast, tmp_path: Path) -> None:
    assert post(cast, encode(cast, tmp_path, archive=bytes(LIMIT))).status_code == 302
    assert Submission.objects.get().archive_size_bytes == LIMIT


def test_one_byte_more_is_too_large(cast: Cast, tmp_path: Path) -> None:
    response = post(cast, encode(cast, tmp_path, archive=bytes(LIMIT + 1)))

    refusal = response.context["refusal"]
    assert response.status_code == 400
    assert refusal.code == "archive-too-large"
    assert "predictions.zip" in refusal.message
    assert str(LIMIT) in refusal.message
    assert refusal.message in Page(response).text
    assert_nothing_stored()


def test_the_rest_of_what_is_too_large_is_read_and_dropped(cast: Cast, tmp_path: Path) -> None:
    response = post(cast, encode(cast, tmp_path, archive=bytes(20 * LIMIT)))

    assert response.wsgi_request.read() == b""
    assert_nothing_stored()


def test_several_files_share_the_limit(cast: Cast, tmp_path: Path) -> None:
    half = factories.upload(cast.phase, tmp_path, archive=bytes(LIMIT * 2 // 3))["archive"]
    fields = factories.upload(cast.phase, tmp_path, archive=bytes(LIMIT * 2 // 3), more=half)

    response = post(cast, encode_multipart(BOUNDARY, fields))

    assert response.context["refusal"].code == "archive-too-large"
    assert_nothing_stored()


def test_a_second_file_leaves_nothing_behind(cast: Cast, tmp_path: Path) -> None:
    more = factories.upload(cast.phase, tmp_path, archive=b"something else")["archive"]

    post(cast, encode(cast, tmp_path, more=more))

    Submission.objects.get().evaluations.all().delete()
    Submission.objects.all().delete()
    assert [path.parent.name for path in (tmp_path / "objects").glob("**/*") if path.is_file()].count("archives") == 1
    assert list((tmp_path / "objects" / "incoming").glob("**/*")) == []


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_an_upload_that_was_cut_stores_nothing(cast: Cast, tmp_path: Path, share: float) -> None:
    body = encode(cast, tmp_path, archive=bytes(100_000))

    response = post(cast, body[: int(len(body) * share)])

    refusal = response.context["refusal"]
    assert response.status_code == 400
    assert refusal.code == "upload-incomplete"
    assert "predictions.zip" in refusal.message
    assert refusal.message in Page(response).text
    assert_nothing_stored()


def test_an_upload_that_was_cut_right_after_the_archive(cast: Cast, tmp_path: Path) -> None:
    body = encode(cast, tmp_path, archive=bytes(100_000))

    response = post(cast, body[: body.index(b'name="complete"')])

    assert response.context["refusal"].code == "upload-incomplete"
    assert_nothing_stored()


class _Broken(BytesIO):
    """A connection that breaks."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(min(size or 0, 40_000))
        if self.tell() >= 80_000:
            raise OSError("connection reset by peer")
        return data


def test_a_connection_that_breaks_stores_nothing(cast: Cast, tmp_path: Path) -> None:
    body = encode(cast, tmp_path, archive=bytes(150_000))

    response = post_over(cast, _Broken(body), len(body))

    assert response.status_code == 400
    assert_nothing_stored()


def test_a_connection_that_breaks_before_the_csrf_token_was_checked(cast: Cast, tmp_path: Path) -> None:
    body = encode(cast, tmp_path, archive=bytes(150_000))

    assert post_over(cast, _Broken(body), len(body), enforce_csrf_checks=True).status_code == 403
    assert_nothing_stored()


def test_a_connection_that_ends_early(cast: Cast, tmp_path: Path) -> None:
    body = encode(cast, tmp_path, archive=bytes(150_000))

    response = post_over(cast, BytesIO(body[:80_000]), len(body))

    assert response.context["refusal"].code == "upload-incomplete"
    assert f"of {len(body)} bytes" in Page(response).text
    assert_nothing_stored()


def test_a_connection_that_breaks_while_a_refused_body_is_read(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(published_version=None)
    body = encode(cast, tmp_path, archive=bytes(150_000))

    response = post_over(cast, _Broken(body), len(body))

    # the answer was on its way before the rest of the body was waited for
    assert response.status_code == 403
    assert_nothing_stored()


@pytest.mark.parametrize("body", [b"", b"no multipart at all", b"--" + BOUNDARY.encode()])
def test_a_body_that_is_no_form(cast: Cast, body: bytes) -> None:
    assert post(cast, body).status_code == 400
    assert_nothing_stored()


def test_more_files_than_any_form_has(cast: Cast, tmp_path: Path) -> None:
    more = {f"more{number}": factories.upload(cast.phase, tmp_path, archive=b"x")["archive"] for number in range(101)}

    assert post(cast, encode(cast, tmp_path, **more)).status_code == 400
    assert_nothing_stored()


def test_a_disk_that_is_full_while_the_archive_arrives(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", full)

    response = post(cast, encode(cast, tmp_path, archive=bytes(150_000)))

    assert response.status_code == 503
    assert response.context["refusal"].code == "storage-full"
    assert response.wsgi_request.read() == b""
    assert_nothing_stored()


def test_a_disk_that_is_full_when_the_archive_is_stored(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bayerboard.lib.storage.local_disk.flush", full)

    response = post(cast, encode(cast, tmp_path, archive=bytes(150_000)))

    assert response.status_code == 503
    assert response.context["refusal"].code == "storage-full"
    monkeypatch.undo()
    assert_nothing_stored()
