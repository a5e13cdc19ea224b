"""Copies of what a worker needs again and again."""

from __future__ import annotations

import errno
from functools import partial
from typing import IO, TYPE_CHECKING

import pytest

from bayerboard.lib.storage import StorageFull, StorageUnavailable, object_store
from bayerboard.lib.storage.copies import CopyCache
from bayerboard.lib.storage.s3 import S3Store

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.lib.storage.s3_address import S3Address

Fetched = list[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def fetch(fetched: Fetched, key: str, target: IO[bytes]) -> None:
    fetched.append(key)
    target.write(key.encode() * 10)


def use(cache: CopyCache, key: str, fetched: Fetched) -> bytes:
    with cache.copy(key, partial(fetch, fetched, key)) as path:
        return path.read_bytes()


def test_is_fetched_once(folder: Path) -> None:
    fetched: Fetched = []

    contents = {use(CopyCache(folder, 1000), "references/1.zip", fetched) for _ in range(3)}

    assert contents == {b"references/1.zip" * 10}
    assert fetched == ["references/1.zip"]
    assert [path.name for path in folder.iterdir()] == ["references!1.zip"]


def test_drops_what_was_not_used_for_longest(folder: Path) -> None:
    cache, fetched = CopyCache(folder, 250), Fetched()
    for key in ("a/1", "a/2", "a/1"):
        assert use(cache, key * 3, fetched)

    use(cache, "a/3" * 3, fetched)
    fetched.clear()
    use(cache, "a/1" * 3, fetched)

    assert fetched == []
    assert {path.name for path in folder.iterdir()} == {"a!1a!1a!1", "a!3a!3a!3"}


def test_what_is_dropped_stays_with_who_uses_it(folder: Path) -> None:
    cache, fetched = CopyCache(folder, 50), Fetched()

    with cache.copy("a/1", partial(fetch, fetched, "a/1")) as path:
        use(cache, "a/2", fetched)
        assert not (folder / "a!1").exists()
        assert path.read_bytes() == b"a/1" * 10


def test_a_copy_that_failed_is_none(folder: Path) -> None:
    def fail(target: IO[bytes]) -> None:
        target.write(b"half")
        raise StorageUnavailable("on purpose")

    with pytest.raises(StorageUnavailable), CopyCache(folder, 1000).copy("a/1", fail):
        pass

    assert list(folder.iterdir()) == []


def test_no_room_for_a_copy(folder: Path) -> None:
    def full(target: IO[bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageFull), CopyCache(folder, 1000).copy("a/1", full):
        pass


def test_references_are_kept_and_archives_are_not(
    bucket: S3Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, fetched = ("references/1.zip", "archives/1.zip"), Fetched()
    download = S3Store._download

    def count(store: S3Store, key: str, *arguments: object) -> None:
        fetched.append(key)
        download(store, key, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(S3Store, "_download", count)
    store = object_store()
    for key in keys:
        file = tmp_path / "file"
        file.write_bytes(key.encode())
        store.put(key, file)

    for key in (*keys, *keys):
        with store.local_copy(key) as path:
            assert path.read_bytes() == key.encode()

    assert fetched == ["references/1.zip", "archives/1.zip", "archives/1.zip"]
