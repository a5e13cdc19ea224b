"""Who may do what with an upload, and what odd requests are answered."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from bayerboard.submissions.models import Submission
from bayerboard.uploads.models import UNSUBMITTED_AT_MOST, State, Upload
from scoring.problems import CATALOGUE
from tests import factories
from tests.site import uploading
from tests.site.stored import archives, assert_nothing_stored

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from tests.factories import Cast

PART = 1000
CONTENT = bytes(range(256)) * 8
OUTSIDERS = ("rival", "stranger", "organiser")
# of one upload: method, path below it, body
ADDRESSES = [
    ("GET", "parts/", ""),
    ("POST", "parts/1/", ""),
    ("POST", "complete/", "{}"),
    ("DELETE", "", ""),
]


@pytest.fixture(autouse=True)
def _small_parts(settings: Settings) -> None:
    settings.UPLOAD_PART_BYTES = PART


def ask(cast: Cast, role: str, method: str, url: str, body: str = "", **options: Any) -> Any:
    return cast.client(role, **options).generic(method, url, body, "application/json")


def assert_refused(response: Any, status: int, code: str) -> None:
    """Return the answer is JSON in the catalogue's words, and no cache keeps it."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code)
    assert CATALOGUE[code].level in {"refusal", "error"}
    assert body["message"]
    assert body["hint"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_members_of_the_team_may_do_all(cast: Cast, role: str) -> None:
    upload = uploading.begin(cast, len(CONTENT))

    for method, path, _ in ADDRESSES[:2]:
        assert ask(cast, role, method, f"/uploads/{upload.pk}/{path}").status_code == 200
    parts = uploading.send_parts(cast, upload, CONTENT)
    assert uploading.complete(cast, upload, parts, role).status_code == 200
    assert ask(cast, role, "DELETE", f"/uploads/{upload.pk}/").json()["state"] == "aborted"


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
@pytest.mark.parametrize("role", OUTSIDERS)
def test_for_others_there_is_no_such_upload(cast: Cast, role: str, address: tuple[str, str, str]) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    method, path, body = address

    assert_refused(ask(cast, role, method, f"/uploads/{upload.pk}/{path}", body), 404, "upload-unknown")
    assert Upload.objects.get().state == State.OPEN


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_an_upload_that_never_was(cast: Cast, address: tuple[str, str, str]) -> None:
    method, path, body = address

    assert_refused(ask(cast, "participant", method, f"/uploads/{uuid.uuid4()}/{path}", body), 404, "upload-unknown")
    assert ask(cast, "participant", method, f"/uploads/17/{path}", body).status_code == 404


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_signed_out(cast: Cast, address: tuple[str, str, str]) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    method, path, body = address

    assert_refused(ask(cast, "signed_out", method, f"/uploads/{upload.pk}/{path}", body), 401, "not-signed-in")


@pytest.mark.parametrize(
    ("path", "methods"),
    [("", "GET"), ("parts/", "POST"), ("parts/1/", "GET"), ("parts/1/data/", "GET"), ("complete/", "GET")],
)
def test_wrong_method(cast: Cast, path: str, methods: str) -> None:
    upload = uploading.begin(cast, len(CONTENT))

    assert ask(cast, "participant", methods, f"/uploads/{upload.pk}/{path}").status_code == 405


@pytest.mark.parametrize("address", ADDRESSES[1:], ids=str)
def test_needs_the_csrf_token(cast: Cast, address: tuple[str, str, str]) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    method, path, body = address

    response = ask(cast, "participant", method, f"/uploads/{upload.pk}/{path}", body, enforce_csrf_checks=True)

    assert response.status_code == 403
    assert Upload.objects.get().state == State.OPEN


def test_takes_the_csrf_token_in_a_header(cast: Cast) -> None:
    client = cast.client("participant", enforce_csrf_checks=True)
    token = str(client.get(cast.phase.submit_url()).context["csrf_token"])

    response = client.post(
        f"{cast.phase.get_absolute_url()}uploads/",
        {"filename": "a.zip", "size_bytes": 5},
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )

    assert response.status_code == 201


# --- Opening ---


def test_a_stranger_opens_nothing(cast: Cast) -> None:
    assert_refused(uploading.open_upload(cast, 5, "stranger"), 403, "not-a-participant")
    assert_refused(uploading.open_upload(cast, 5, "signed_out"), 401, "not-signed-in")
    assert not Upload.objects.exists()


def test_in_a_phase_that_is_none(cast: Cast) -> None:
    url = f"{cast.phase.track.get_absolute_url()}nothing/uploads/"

    assert ask(cast, "participant", "POST", url, "{}").status_code == 404


def test_opening_is_a_post(cast: Cast) -> None:
    assert ask(cast, "participant", "GET", f"{cast.phase.get_absolute_url()}uploads/").status_code == 405


def test_the_quota_is_looked_at_before_anything_is_sent(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(quota_total=1)
    factories.make_submission(cast.phase, cast.team, tmp_path)

    assert_refused(uploading.open_upload(cast, 5), 403, "quota-total-used")


def test_the_quota_is_looked_at_again_when_it_is_submitted(cast: Cast, tmp_path: Path) -> None:
    upload = uploading.uploaded(cast, CONTENT)
    type(cast.phase).objects.update(quota_total=1)
    factories.make_submission(cast.phase, cast.team, tmp_path)

    response = uploading.submit(cast, upload)

    assert response.context["refusal"].code == "quota-total-used"
    assert Submission.objects.count() == len(archives()) == 1


def test_too_large_is_told_before_anything_is_sent(cast: Cast) -> None:
    limit = cast.phase.max_archive_bytes

    assert_refused(uploading.open_upload(cast, limit + 1), 413, "archive-too-large")
    assert uploading.open_upload(cast, limit).status_code == 201


def test_no_room_is_told_before_anything_is_sent(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayerboard.lib.storage.local_disk.RESERVE_BYTES", 2**60)

    assert_refused(uploading.open_upload(cast, 5), 507, "storage-full")
    assert_nothing_stored()


def test_empty(cast: Cast) -> None:
    assert_refused(uploading.open_upload(cast, 0), 400, "archive-empty")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        "null",
        "[" * 100_000,
        "{}",
        '{"filename": "a.zip"}',
        '{"filename": "a.zip", "size_bytes": "5"}',
        '{"filename": "a.zip", "size_bytes": -1}',
        '{"filename": "a.zip", "size_bytes": 1e3}',
        '{"filename": "a.zip", "size_bytes": true}',
        '{"filename": "a.zip", "size_bytes": 1' + "0" * 30 + "}",
        '{"filename": 5, "size_bytes": 5}',
        b"\xff\xfe".decode("latin-1"),
    ],
)
def test_a_request_that_cannot_be_read(cast: Cast, body: str) -> None:
    url = f"{cast.phase.get_absolute_url()}uploads/"

    assert_refused(ask(cast, "participant", "POST", url, body), 400, "upload-request-invalid")
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\results.zip", "results.zip"),
        ("a\u202ezip.exe", "azip.exe"),
        ("画素.zip", "画素.zip"),
        ("x" * 300 + ".zip", "x" * 251 + ".zip"),
        ("", "submission.zip"),
        ("..", "submission.zip"),
        ("a\0b.zip", "ab.zip"),
        ("\ud800.zip", "?.zip"),
    ],
)
def test_the_archives_name_is_cleaned(cast: Cast, sent: str, kept: str) -> None:
    assert uploading.open_upload(cast, 5, filename=sent).json()["filename"] == kept


def test_a_team_begins_only_so_many_at_one_time(cast: Cast) -> None:
    uploads = [uploading.begin(cast, 5) for _ in range(UNSUBMITTED_AT_MOST)]

    assert_refused(uploading.open_upload(cast, 5, "teammate"), 429, "too-many-uploads")
    assert uploading.open_upload(cast, 5, "rival").status_code == 201

    uploads[0].abort()
    assert uploading.open_upload(cast, 5).status_code == 201


def test_what_is_complete_and_not_submitted_counts_as_begun(cast: Cast) -> None:
    for _ in range(UNSUBMITTED_AT_MOST):
        uploading.uploaded(cast, b"abcde")

    assert_refused(uploading.open_upload(cast, 5), 429, "too-many-uploads")

    uploading.submit(cast, Upload.objects.all()[0])
    assert uploading.open_upload(cast, 5).status_code == 201


# --- Parts ---


@pytest.mark.parametrize("number", [0, 4, 10_001, 10**30])
def test_a_part_that_there_is_not(cast: Cast, number: int) -> None:
    upload = uploading.begin(cast, len(CONTENT))

    assert_refused(uploading.sign(cast, upload, number), 404, "part-unknown")


def test_the_address_of_a_part_is_for_that_part(cast: Cast) -> None:
    upload, other = (uploading.begin(cast, len(CONTENT)) for _ in range(2))
    url = uploading.sign(cast, upload, 1).json()["url"]

    for changed in (
        url.replace("parts/1/", "parts/2/"),
        url.replace(str(upload.pk), str(other.pk)),
        url[:-1],
        url.partition("?")[0],
    ):
        assert_refused(uploading.put(cast, changed, CONTENT[:PART]), 403, "upload-address-expired")
    assert (upload.arrived(), other.arrived()) == ([], [])


def test_the_address_of_a_part_expires(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    url = uploading.sign(cast, upload, 1).json()["url"]
    monkeypatch.setattr("bayerboard.uploads.signing.PART_URL_EXPIRES_S", -1)

    assert_refused(uploading.put(cast, url, CONTENT[:PART]), 403, "upload-address-expired")


def test_an_address_outlives_no_abort(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    url = uploading.sign(cast, upload, 1).json()["url"]
    upload.abort()

    assert_refused(uploading.put(cast, url, CONTENT[:PART]), 409, "upload-ended")
    assert_nothing_stored()


def test_an_address_of_an_upload_that_is_forgotten(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    url = uploading.sign(cast, upload, 1).json()["url"]
    Upload.objects.all().delete()

    response = uploading.put(cast, url, CONTENT[:PART])

    assert_refused(response, 404, "upload-unknown")
    assert response.wsgi_request.read() == b""  # or a browser would not see the answer


def test_an_address_is_not_logged(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    url = uploading.sign(cast, upload, 1).json()["url"]

    uploading.put(cast, url, b"too short")

    assert "/data/" in caplog.text
    assert "token" not in caplog.text


@pytest.mark.parametrize("parts", [5, "x", [1], [{"number": 1}], [{"number": "x", "etag": "y"}], {"a": 1}])
def test_parts_that_cannot_be_read(cast: Cast, parts: Any) -> None:
    upload = uploading.begin(cast, len(CONTENT))

    assert_refused(uploading.complete(cast, upload, parts), 400, "upload-request-invalid")


def test_the_body_of_a_completion_is_json(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    uploading.send_parts(cast, upload, CONTENT)

    # without etags, what arrived is taken as it is
    response = ask(cast, "participant", "POST", f"/uploads/{upload.pk}/complete/", json.dumps({}))

    assert response.status_code == 200
