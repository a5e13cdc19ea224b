"""What every store does: the same tests on the local disk and on a real S3 server."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from bayerboard.lib.storage import InvalidKey, LocalDisk, ObjectStore, PartsGone, object_store
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "archives/3fe1.zip"
PART = 1000
CONTENT = os.urandom(2 * PART + 345)


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "s3":
        request.getfixturevalue("bucket")
    return object_store()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "upload"
    file.write_bytes(b"content")
    return file


def put_part(store: ObjectStore, parts_id: str, number: int, key: str = KEY) -> None:
    """Send a part of CONTENT to where the store takes it."""
    data = CONTENT[(number - 1) * PART : number * PART]
    url = store.part_url(key, parts_id, number, len(data), 60)
    if url is None:
        assert isinstance(store, LocalDisk)
        store.write_part(parts_id, number, len(data), chunks(data))
    else:
        with urlopen(Request(url, data, method="PUT"), timeout=PATIENCE_S) as answer:
            assert answer.status == 200


def chunks(data: bytes) -> Iterator[bytes]:
    return (data[start : start + 100] for start in range(0, len(data), 100))


def keys(store: ObjectStore) -> list[str]:
    return [stored.key for stored in store.objects("archives/")]


# --- Whole objects ---


def test_what_is_put_can_be_read(store: ObjectStore, source: Path) -> None:
    store.put(KEY, source)

    with store.open(KEY) as stored, store.local_copy(KEY) as copy:
        assert stored.read() == copy.read_bytes() == b"content"
    assert store.exists(KEY)
    assert store.size_bytes(KEY) == 7


def test_reading_can_begin_anywhere(store: ObjectStore, source: Path) -> None:
    store.put(KEY, source)

    with store.open(KEY) as stored:
        stored.seek(-3, os.SEEK_END)
        assert stored.read() == b"ent"
        stored.seek(1)
        assert stored.read(2) == b"on"


def test_a_large_object(store: ObjectStore, source: Path) -> None:
    content = os.urandom(20 * 2**20)
    source.write_bytes(content)

    store.put(KEY, source)

    with store.local_copy(KEY) as copy:
        assert copy.read_bytes() == content


def test_an_empty_object(store: ObjectStore, source: Path) -> None:
    source.write_bytes(b"")

    store.put(KEY, source)

    with store.local_copy(KEY) as copy:
        assert copy.read_bytes() == b""


def test_what_is_not_there(store: ObjectStore) -> None:
    assert not store.exists(KEY)
    with pytest.raises(FileNotFoundError):
        store.open(KEY)
    with pytest.raises(FileNotFoundError):
        store.size_bytes(KEY)
    with pytest.raises(FileNotFoundError), store.local_copy(KEY):
        pass
    assert keys(store) == []


def test_deleting(store: ObjectStore, source: Path) -> None:
    store.put(KEY, source)

    store.delete(KEY)
    store.delete(KEY)

    assert keys(store) == []


def test_a_list_tells_size_and_age(store: ObjectStore, source: Path) -> None:
    os.utime(source, (0, 0))  # the file's own age is not the object's
    before = datetime.now(UTC) - timedelta(seconds=2)
    store.put(KEY, source)
    store.put("inputs/1.zip", _file(source, b"other"))

    [stored] = store.objects("archives/")

    assert (stored.key, stored.size_bytes) == (KEY, 7)
    assert before <= stored.modified_at <= datetime.now(UTC) + timedelta(seconds=2)


def _file(beside: Path, content: bytes) -> Path:
    file = beside.with_name("another")
    file.write_bytes(content)
    return file


# --- Parts ---


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_parts_make_an_object_in_any_order(store: ObjectStore, order: tuple[int, ...]) -> None:
    parts_id = store.open_parts(KEY, len(CONTENT), PART)
    for number in order:
        put_part(store, parts_id, number)
    parts = store.list_parts(KEY, parts_id)

    store.complete_parts(KEY, parts_id, parts)

    assert [(part.number, part.size_bytes) for part in parts] == [(1, PART), (2, PART), (3, 345)]
    with store.open(KEY) as stored:
        assert stored.read() == CONTENT


def test_nothing_is_there_before_the_parts_are_complete(store: ObjectStore) -> None:
    parts_id = store.open_parts(KEY, len(CONTENT), PART)
    put_part(store, parts_id, 1)

    assert not store.exists(KEY)
    assert keys(store) == []


def test_a_part_that_is_sent_again(store: ObjectStore) -> None:
    parts_id = store.open_parts(KEY, len(CONTENT), PART)
    for number in (1, 1, 2, 3, 2):
        put_part(store, parts_id, number)

    store.complete_parts(KEY, parts_id, store.list_parts(KEY, parts_id))

    with store.open(KEY) as stored:
        assert stored.read() == CONTENT


def test_an_etag_is_compared_with_quotes_or_without(store: ObjectStore) -> None:
    parts_id = store.open_parts(KEY, len(CONTENT), PART)
    put_part(store, parts_id, 1)

    [part] = store.list_parts(KEY, parts_id)

    assert part.matches(part.etag)
    assert part.matches(part.etag.strip('"'))
    assert not part.matches("0" * 32)


@pytest.mark.parametrize("end", ["completed", "aborted"])
def test_parts_that_came_to_their_end_are_gone(store: ObjectStore, end: str) -> None:
    parts_id = store.open_parts(KEY, len(CONTENT), PART)
    for number in (1, 2, 3):
        put_part(store, parts_id, number)
    parts = store.list_parts(KEY, parts_id)
    if end == "completed":
        store.complete_parts(KEY, parts_id, parts)
    else:
        store.abort_parts(KEY, parts_id)
        store.abort_parts(KEY, parts_id)

    with pytest.raises(PartsGone):
        store.list_parts(KEY, parts_id)
    with pytest.raises(PartsGone):
        store.complete_parts(KEY, parts_id, parts)
    assert store.exists(KEY) == (end == "completed")


def test_what_was_begun_long_ago_and_is_unknown_is_cleared(store: ObjectStore) -> None:
    forgotten, known = (store.open_parts(key, len(CONTENT), PART) for key in ("archives/1.zip", "archives/2.zip"))

    assert store.clear_leftovers(datetime.now(UTC) - timedelta(hours=1), {known}) == 0
    assert store.clear_leftovers(datetime.now(UTC) + timedelta(hours=1), {known}) == 1

    assert store.list_parts("archives/2.zip", known) == []
    with pytest.raises(PartsGone):
        store.list_parts("archives/1.zip", forgotten)


# --- Keys ---


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../secret_key",
        "archives/../../secret_key",
        "archives/..",
        "archives//a",
        "archives/a/",
        ".hidden",
        "archives/.put-x",
        "Archives/A.zip",
        "archives/a b",
        "archives\\a",
        "archives/a\0",
        "archives/a\n",
        "archives/é",
        "~/a",
    ],
)
@pytest.mark.parametrize("verb", ["put", "open", "local_copy", "size_bytes", "exists", "delete", "download_url"])
def test_keys_lead_nowhere_else(store: ObjectStore, source: Path, key: str, verb: str) -> None:
    more: dict[str, list[Any]] = {"put": [source], "download_url": ["a.zip", "application/zip"]}
    arguments = [key, *more.get(verb, [])]

    with pytest.raises(InvalidKey):
        use(store, verb, arguments)


def use(store: ObjectStore, verb: str, arguments: list[Any]) -> None:
    found = getattr(store, verb)(*arguments)
    if verb == "local_copy":
        with found:
            pass


@pytest.mark.parametrize("key", ["archives/3f.zip", "archives/12-3.zip", "archives/a/b_c-d.tar.gz"])
def test_good_keys(store: ObjectStore, source: Path, key: str) -> None:
    store.put(key, source)

    assert keys(store) == [key]
