"""The local disk as a store: whole, durable, and nowhere but in its folder."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayerboard.lib.storage import LocalDisk, PartsGone, StorageFull, WrongPartSize, local_disk, object_store
from bayerboard.lib.storage import files as storage_files

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def test_parts_are_on_the_disk_before_they_are_acknowledged(store: LocalDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    parts_id = store.open_parts(KEY, 10, 5)
    content = store.root / "incoming" / "parts" / parts_id / "content"
    flushed: list[bytes] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: flushed.append(content.read_bytes()))

    store.write_part(parts_id, 2, 5, [b"fgh", b"ij"])

    assert flushed[0] == b"\0\0\0\0\0fghij"


@pytest.mark.parametrize("sent", [b"", b"abcd", b"abcdef"], ids=["nothing", "shorter", "longer"])
def test_a_part_of_another_size_changes_nothing(store: LocalDisk, sent: bytes) -> None:
    parts_id = store.open_parts(KEY, 5, 5)
    part = store.write_part(parts_id, 1, 5, [b"abcde"])

    with pytest.raises(WrongPartSize):
        store.write_part(parts_id, 1, 5, [sent])

    assert store.list_parts(KEY, parts_id) == [part]


def test_another_part_in_its_place(store: LocalDisk) -> None:
    parts_id = store.open_parts(KEY, 5, 5)
    store.write_part(parts_id, 1, 5, [b"abcde"])

    part = store.write_part(parts_id, 1, 5, [b"fghij"])

    assert store.list_parts(KEY, parts_id) == [part]
    store.complete_parts(KEY, parts_id, [part])
    assert (store.root / KEY).read_bytes() == b"fghij"


def test_a_part_that_arrives_after_the_end_is_in_no_object(store: LocalDisk) -> None:
    parts_id = store.open_parts(KEY, 5, 5)
    part = store.write_part(parts_id, 1, 5, [b"abcde"])

    def slowly() -> Iterator[bytes]:
        yield b"fgh"
        store.complete_parts(KEY, parts_id, [part])
        yield b"ij"

    with pytest.raises(PartsGone):
        store.write_part(parts_id, 1, 5, slowly())

    assert (store.root / KEY).read_bytes() == b"abcde"
    assert files(store) == [KEY]


def test_a_crash_between_the_object_and_the_end_of_its_parts(store: LocalDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    parts_id = store.open_parts(KEY, 5, 5)
    part = store.write_part(parts_id, 1, 5, [b"abcde"])
    with monkeypatch.context() as patch:
        patch.setattr("bayerboard.lib.storage.disk_parts.PartsFolder.remove", lambda folder: None)
        store.complete_parts(KEY, parts_id, [part])

    with pytest.raises(PartsGone):
        store.complete_parts(KEY, parts_id, [part])

    assert (store.root / KEY).read_bytes() == b"abcde"


class TestFullDisk:
    """Told by what the disk says; nothing half-written remains."""

    def test_before_anything_is_sent(self, store: LocalDisk) -> None:
        with pytest.raises(StorageFull):
            store.open_parts(KEY, 2**60, 2**30)

        assert files(store) == []

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_in_the_middle_of_a_part(self, store: LocalDisk, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        parts_id = store.open_parts(KEY, 10, 5)
        before = files(store)

        def full(*arguments: object) -> None:
            raise OSError(number, "No space left on device")

        monkeypatch.setattr("bayerboard.lib.storage.disk_parts.shutil.copyfileobj", full)

        with pytest.raises(StorageFull):
            store.write_part(parts_id, 1, 5, [b"abcde"])

        assert store.list_parts(KEY, parts_id) == []
        assert files(store) == before


def test_half_files_are_cleared_when_they_are_old(store: LocalDisk, source: Path) -> None:
    store.put(KEY, source)
    incoming = store.root / "incoming"
    (incoming / "run").mkdir(parents=True)
    for half in (incoming / "tmp1.upload.zip", incoming / "run" / "out.zip", store.root / "archives" / ".put-x"):
        half.write_bytes(b"half")
    now = datetime.now(UTC)

    assert store.clear_leftovers(now - timedelta(hours=1), ()) == 0
    assert store.clear_leftovers(now + timedelta(hours=1), ()) == 3

    assert files(store) == [KEY]


def test_a_folder_that_is_written_to_is_not_old(store: LocalDisk) -> None:
    folder = store.root / "incoming" / "run"
    folder.mkdir(parents=True)
    (folder / "out.zip").write_bytes(b"growing")
    os.utime(folder, (0, 0))

    assert store.clear_leftovers(datetime.now(UTC) - timedelta(hours=1), ()) == 0
    assert (folder / "out.zip").exists()


def test_the_store_is_the_settings(tmp_path: Path) -> None:
    store = object_store()

    assert isinstance(store, LocalDisk)
    assert store.root == tmp_path / "objects"
