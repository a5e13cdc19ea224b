"""What only the S3 store does, against a real server: signed addresses, time limits, failures of server and network."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest

from bayerboard.lib.storage import StorageFull, StorageUnavailable, s3
from bayerboard.lib.storage.s3 import S3Store
from bayerboard.lib.storage.s3_address import S3Address
from tests.fault_proxy import FaultProxy
from tests.patience import PATIENCE_S
from tests.s3_server import ACCESS_KEY_ID, S3Server, objects_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "archives/3fe1.zip"
CONTENT = os.urandom(300_000)


@pytest.fixture
def store(bucket: S3Address) -> S3Store:
    return S3Store(bucket)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "upload"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3_server.port) as proxy:
        yield proxy


@pytest.fixture
def proxied(proxy: FaultProxy, s3_server: S3Server, bucket: S3Address) -> S3Store:
    return S3Store(s3_server.address(bucket.bucket, endpoint_url=proxy.endpoint_url))


def status_of(url: str, data: bytes | None = None) -> int:
    try:
        with urlopen(Request(url, data, method="PUT" if data is not None else "GET"), timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@contextmanager
def an_hour_ago(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sign as it was done an hour ago."""
    with monkeypatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: datetime.now(UTC) - timedelta(hours=1))
        yield


def test_a_download_has_the_name_and_type_that_were_asked_for(store: S3Store, source: Path) -> None:
    store.put(KEY, source)

    with urlopen(store.download_url(KEY, "Übung.zip", "application/zip"), timeout=PATIENCE_S) as answer:
        assert answer.read() == CONTENT
        assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%9Cbung.zip"
        assert answer.headers["Content-Type"] == "application/zip"


def test_a_signed_address_is_for_one_object(store: S3Store, source: Path) -> None:
    store.put("archives/other.zip", source)
    url = store.download_url(KEY, "a.zip", "application/zip")

    assert status_of(url.replace("3fe1", "other")) == 403


def test_a_download_address_expires(store: S3Store, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(KEY, source)

    with an_hour_ago(monkeypatch):
        url = store.download_url(KEY, "a.zip", "application/zip")

    assert status_of(url) in {400, 403}  # which of the two differs between servers


def test_a_part_address_expires(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    parts_id = store.open_parts(KEY, 5, 5)

    with an_hour_ago(monkeypatch):
        url = store.part_url(KEY, parts_id, 1, 5, 60)

    assert status_of(url, b"abcde") in {400, 403}
    assert store.list_parts(KEY, parts_id) == []


@pytest.mark.parametrize("sent", [b"abcd", b"abcdef"], ids=["shorter", "longer"])
def test_a_part_of_another_size_is_refused_by_the_server(store: S3Store, sent: bytes) -> None:
    parts_id = store.open_parts(KEY, 5, 5)

    assert status_of(store.part_url(KEY, parts_id, 1, 5, 60), sent) == 403
    assert store.list_parts(KEY, parts_id) == []


@pytest.mark.parametrize("change", [("partNumber=1", "partNumber=2"), ("X-Amz-Expires=60", "X-Amz-Expires=6000")])
def test_a_changed_address_is_refused(store: S3Store, change: tuple[str, str]) -> None:
    url = store.part_url(KEY, store.open_parts(KEY, 5, 5), 1, 5, 60)

    assert status_of(url.replace(*change), b"abcde") == 403


def test_the_secret_stands_in_no_address_and_no_text(store: S3Store) -> None:
    url = store.part_url(KEY, "an id", 1, 5, 60)

    assert store.address.secret_access_key not in url
    assert "secret" not in repr(store.address)
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["60"]


def test_no_signature_is_logged(store: S3Store, source: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="")
    store.put(KEY, source)
    store.part_url(KEY, store.open_parts(KEY, 5, 5), 1, 5, 60)

    assert "X-Amz-Signature" not in caplog.text
    assert ACCESS_KEY_ID not in caplog.text


def test_a_wrong_secret_is_our_failure(s3_server: S3Server, bucket: S3Address, source: Path) -> None:
    store = S3Store(s3_server.address(bucket.bucket, secret_access_key="wrong"))

    with pytest.raises(StorageUnavailable):
        store.put(KEY, source)
    with pytest.raises(StorageUnavailable):
        store.exists(KEY)


def test_browsers_may_know_the_server_under_another_address(s3_server: S3Server, bucket: S3Address) -> None:
    store = S3Store(s3_server.address(bucket.bucket, public_url="https://files.example.org"))

    assert store.download_url(KEY, "a.zip", "application/zip").startswith(f"https://files.example.org/{bucket.bucket}/")
    assert not store.exists(KEY)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-2"])
@pytest.mark.parametrize("name", ["bayerboard", "bayer.board"])
def test_browsers_are_sent_to_the_origin_that_pages_allow(region: str, name: str) -> None:
    address = S3Address(name, region, access_key_id="a", secret_access_key="b")

    url = S3Store(address).part_url(KEY, "an id", 1, 5, 60)

    assert url.startswith(f"{address.browser_origin}/")
    assert region in address.browser_origin


# --- When it goes wrong ---


@pytest.mark.parametrize("fault", ["error", "hang", "lost"])
def test_a_server_that_fails_is_tried_again_then_told(
    proxied: S3Store, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "hang":
        monkeypatch.setattr(s3, "READ_TIMEOUT_S", 0.3)
        s3._client.cache_clear()
    proxy.fault = fault  # type: ignore[assignment]

    with pytest.raises(StorageUnavailable, match="head_object"):
        proxied.exists(KEY)

    assert len(proxy.requests) == s3.TRIES


def test_a_server_that_fails_once_is_not_noticed(proxied: S3Store, proxy: FaultProxy, source: Path) -> None:
    proxy.fault, proxy.when = "error", lambda method, path: len(proxy.requests) == 1

    proxied.put(KEY, source)

    assert proxied.size_bytes(KEY) == len(CONTENT)


def test_a_download_that_is_cut_begins_again(proxied: S3Store, proxy: FaultProxy, source: Path) -> None:
    proxied.put(KEY, source)
    downloads: list[str] = []

    def first_get(method: str, path: str) -> bool:
        downloads.extend([path] if method == "GET" else [])
        return method == "GET" and len(downloads) == 1

    proxy.fault, proxy.when = "cut", first_get

    with proxied.local_copy(KEY) as copy:
        assert copy.read_bytes() == CONTENT
    assert len(downloads) == 2


def test_a_download_that_is_always_cut(proxied: S3Store, proxy: FaultProxy, source: Path, tmp_path: Path) -> None:
    proxied.put(KEY, source)
    proxy.fault = "cut"

    with pytest.raises(StorageUnavailable, match="get_object"), proxied.local_copy(KEY):
        pass

    assert list((tmp_path / "objects" / "incoming").iterdir()) == []


def test_bytes_that_arrive_are_a_sign_of_progress(store: S3Store, source: Path) -> None:
    store.put(KEY, source)
    signs: list[None] = []

    with store.local_copy(KEY, lambda: signs.append(None)):
        assert len(signs) >= 1


def test_a_copy_for_which_there_is_no_room(store: S3Store, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(KEY, source)

    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageFull), store.local_copy(KEY, full):
        pass


def test_a_file_that_did_not_arrive_whole_is_not_kept(
    store: S3Store, bucket: S3Address, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3Store, "size_bytes", lambda store, key: 1)

    with pytest.raises(StorageUnavailable, match="size"):
        store.put(KEY, source)

    assert objects_in(bucket) == {}


def test_copies_that_a_killed_process_left_are_cleared(store: S3Store, tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    for name in ("incoming/copy-x", "copies/.new-x", "copies/references!1.zip"):
        (objects / name).parent.mkdir(parents=True, exist_ok=True)
        (objects / name).write_bytes(b"half")

    assert store.clear_leftovers(datetime.now(UTC) - timedelta(hours=1), ()) == 0
    assert store.clear_leftovers(datetime.now(UTC) + timedelta(hours=1), ()) == 2
    assert [path.name for path in objects.rglob("*") if path.is_file()] == ["references!1.zip"]


def test_nobody_listens(tmp_path: Path, source: Path) -> None:
    with S3Server(tmp_path / "own" / "data") as server:
        store = S3Store(server.make_bucket())
    # which is stopped by now

    with pytest.raises(StorageUnavailable):
        store.put(KEY, source)
    with pytest.raises(StorageUnavailable):
        list(store.objects("archives/"))
    with pytest.raises(StorageUnavailable):
        store.open_parts(KEY, 5, 5)


def test_it_is_all_there_again_after_a_restart(tmp_path: Path, source: Path) -> None:
    with S3Server(tmp_path / "own" / "data") as server:
        store = S3Store(server.make_bucket())
        store.put(KEY, source)
        server.stop()
        with pytest.raises(StorageUnavailable):
            store.exists(KEY)
        server.start()

        with store.open(KEY) as stored:
            assert stored.read() == CONTENT
