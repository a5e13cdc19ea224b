"""Stored objects: whole, durable, and nowhere but in the storage."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from bayerboard.lib.storage import InvalidKey, LocalDisk, StorageFull, local_disk, object_store
from bayerboard.lib.storage import files as storage_files

KEY = "archives/3fe1.zip"


@pytest.fixture
def store(tmp_path: Path) -> LocalDisk:
    return LocalDisk(tmp_path / "objects")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "upload"
    file.write_bytes(b"content")
    return file


def files(store: LocalDisk) -> list[str]:
    return sorted(path.relative_to(store.root).as_posix() for path in store.root.glob("**/*") if path.is_file())


def test_what_is_put_can_be_read(store: LocalDisk, source: Path) -> None:
    store.put(KEY, source)

    with store.open(KEY) as stored, store.local_copy(KEY) as copy:
        assert stored.read() == copy.read_bytes() == b"content"
    assert store.exists(KEY)
    assert store.size_bytes(KEY) == 7


def test_the_source_is_moved_where_it_can_be(store: LocalDisk, source: Path) -> None:
    store.put(KEY, source)

    assert not source.exists()
    assert files(store) == [KEY]


def put_on_another_disk(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rename of the source fail as one between two disks does."""
    replace = Path.replace

    def replace_on_one_disk(path: Path, target: Path) -> Path:
        if path == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_on_one_disk)


def test_from_another_disk_it_is_copied(store: LocalDisk, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_another_disk(source, monkeypatch)

    store.put(KEY, source)

    with store.open(KEY) as stored:
        assert stored.read() == b"content"
    assert files(store) == [KEY]


def test_objects_are_their_owners_alone(store: LocalDisk, source: Path) -> None:
    store.put(KEY, source)

    assert (store.root / "archives").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("step", ["flush", "shutil.copyfile"])
def test_a_crash_leaves_no_half_of_an_object(
    store: LocalDisk, source: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def crash(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "shutil.copyfile":
        put_on_another_disk(source, monkeypatch)
    monkeypatch.setattr(f"bayerboard.lib.storage.local_disk.{step}", crash)

    with pytest.raises(StorageFull, match="No space"):
        store.put(KEY, source)

    assert not store.exists(KEY)
    assert files(store) == []


def test_a_rename_that_fails_for_another_reason_is_told(store: LocalDisk, source: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(KEY, source.with_name("not there"))

    assert files(store) == []


def test_file_and_folders_are_on_the_disk_before_it_returns(
    store: LocalDisk, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    flush = storage_files.flush

    def note(path: Path) -> None:
        flushed.append("file" if path.is_file() else path.name)
        flush(path)

    monkeypatch.setattr(storage_files, "flush", note)
    monkeypatch.setattr(local_disk, "flush", note)

    store.put(KEY, source)

    # the names of the folders, which are new; the content; the name that leads to it
    assert flushed == [tmp_path.name, "objects", "file", "archives"]


def test_what_is_not_there(store: LocalDisk) -> None:
    assert not store.exists(KEY)
    with pytest.raises(FileNotFoundError):
        store.open(KEY)
    with pytest.raises(FileNotFoundError):
        store.size_bytes(KEY)
    with pytest.raises(FileNotFoundError), store.local_copy(KEY):
        pass


def test_deleting(store: LocalDisk, source: Path) -> None:
    store.put(KEY, source)

    store.delete(KEY)
    store.delete(KEY)

    assert files(store) == []


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
@pytest.mark.parametrize("verb", ["put", "open", "local_copy", "size_bytes", "exists", "delete"])
def test_keys_lead_nowhere_else(store: LocalDisk, source: Path, key: str, verb: str) -> None:
    arguments: list[Any] = [key, source] if verb == "put" else [key]

    with pytest.raises(InvalidKey):
        use(store, verb, arguments)


def use(store: LocalDisk, verb: str, arguments: list[Any]) -> None:
    found = getattr(store, verb)(*arguments)
    if verb == "local_copy":
        with found:
            pass


@pytest.mark.parametrize("key", ["a", "archives/3f.zip", "references/12-3.zip", "downloads/a/b_c-d.tar.gz"])
def test_good_keys(store: LocalDisk, source: Path, key: str) -> None:
    store.put(key, source)

    assert files(store) == [key]


def test_the_store_is_the_settings(tmp_path: Path) -> None:
    store = object_store()

    assert isinstance(store, LocalDisk)
    assert store.root == tmp_path / "objects"
