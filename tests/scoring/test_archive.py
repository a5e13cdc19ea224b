"""Reading zips in place: which bytes are read, and how far."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from scoring.archive import ArchiveError, Limits, ZipArchive
from tests.scoring.archives import announce, edit_directory

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = bytes(range(256)) * 40
PACKED_SIZE_AT = 20
SIZE_AT = 24
CRC_AT = 16
OFFSET_AT = 42


def zip_of(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One file in a zip, by each method that is read."""
    return zip_of(tmp_path / "a.zip", {"a": CONTENT}, request.param)


def code_of_reading(path: Path) -> str:
    with ZipArchive(path) as opened, pytest.raises(ArchiveError) as error:
        opened.read(opened.entries[0])
    assert error.value.problem.file == "a"
    return error.value.problem.code


def code_of_opening(source: Path | io.BytesIO, limits: Limits | None = None) -> str:
    with pytest.raises(ArchiveError) as error:
        ZipArchive(source, limits=limits or Limits())
    return error.value.problem.code


def test_reads_all_bytes(archive: Path) -> None:
    with ZipArchive(archive) as opened:
        assert opened.read(opened.entries[0]) == CONTENT


def test_reads_the_start(archive: Path) -> None:
    with ZipArchive(archive) as opened:
        assert opened.read_start(opened.entries[0], 300) == CONTENT[:300]


def test_the_start_of_a_short_file_is_all_of_it(archive: Path) -> None:
    with ZipArchive(archive) as opened:
        assert opened.read_start(opened.entries[0], 10 * len(CONTENT)) == CONTENT


def test_reads_an_empty_file(tmp_path: Path) -> None:
    with ZipArchive(zip_of(tmp_path / "a.zip", {"a": b""})) as opened:
        assert opened.read(opened.entries[0]) == b""


def test_reads_more_than_one_chunk(tmp_path: Path) -> None:
    incompressible = random.Random(1).randbytes(1 << 20)

    with ZipArchive(zip_of(tmp_path / "a.zip", {"a": incompressible})) as opened:
        assert opened.entries[0].packed_bytes > 1 << 19
        assert opened.read(opened.entries[0]) == incompressible


def test_reads_what_was_written_as_a_stream() -> None:
    """Such zips have their sizes behind the data and in the directory only."""

    class Pipe(io.RawIOBase):
        written = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a", CONTENT)

    with ZipArchive(io.BytesIO(pipe.written)) as opened:
        assert opened.read(opened.entries[0]) == CONTENT


def test_reads_the_format_for_large_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as writer, writer.open("a", "w", force_zip64=True) as file:
        file.write(CONTENT)

    with ZipArchive(tmp_path / "a.zip") as opened:
        assert opened.read(opened.entries[0]) == CONTENT


def test_something_may_stand_before_the_zip(archive: Path) -> None:
    archive.write_bytes(b"#!/bin/sh\n" + archive.read_bytes())

    with ZipArchive(archive) as opened:
        assert opened.read(opened.entries[0]) == CONTENT


def test_a_file_that_was_given_stays_open(archive: Path) -> None:
    with archive.open("rb") as stream:
        with ZipArchive(stream) as opened:
            opened.read(opened.entries[0])
        assert not stream.closed


def test_a_missing_file_is_not_the_archives_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ZipArchive(tmp_path / "none.zip")


def test_a_longer_entry_than_announced_is_damaged(archive: Path) -> None:
    announce(archive, SIZE_AT, len(CONTENT) - 1)
    announce(archive, CRC_AT, zlib.crc32(CONTENT[:-1]))

    assert code_of_reading(archive) == "entry-damaged"


def test_a_shorter_entry_than_announced_is_damaged(archive: Path) -> None:
    assert code_of_reading(announce(archive, SIZE_AT, len(CONTENT) + 1)) == "entry-damaged"


def test_a_wrong_checksum_is_found(archive: Path) -> None:
    assert code_of_reading(announce(archive, CRC_AT, 1)) == "crc-mismatch"


def test_an_entry_that_begins_nowhere_is_damaged(archive: Path) -> None:
    assert code_of_reading(announce(archive, OFFSET_AT, 5)) == "entry-damaged"


def test_an_entry_that_begins_behind_the_file_is_damaged(archive: Path) -> None:
    assert code_of_reading(announce(archive, OFFSET_AT, 0xFFFF_FFF0)) == "entry-damaged"


def test_an_entry_that_ends_behind_the_file_is_damaged(archive: Path) -> None:
    announce(archive, PACKED_SIZE_AT, archive.stat().st_size)
    announce(archive, SIZE_AT, 60_000)

    assert code_of_reading(archive) == "entry-damaged"


def test_an_entry_above_the_limit_is_not_read(archive: Path) -> None:
    with (
        ZipArchive(archive, limits=Limits(max_entry_bytes=100)) as opened,
        pytest.raises(ArchiveError, match="entry-too-large"),
    ):
        opened.read(opened.entries[0])


def test_bytes_behind_a_deflate_streams_end_are_not_looked_at(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a": CONTENT, "b": CONTENT})
    with zipfile.ZipFile(path) as reader:
        both = sum(info.compress_size for info in reader.infolist())
    announce(path, PACKED_SIZE_AT, both)

    with ZipArchive(path) as opened:
        assert opened.read(opened.entries[0]) == CONTENT


def test_a_directory_with_too_many_names_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a": b"", "b": b"", "c": b""})

    assert code_of_opening(path, Limits(max_entries=2)) == "too-many-entries"


def test_a_directory_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a": b""})
    edit_directory(path, lambda records: records * 5_000)

    assert code_of_opening(path, Limits(max_entries=2)) == "too-many-entries"


def test_an_honest_archive_exceeds_no_bounds(archive: Path) -> None:
    with ZipArchive(archive) as opened:
        assert opened.bounds_exceeded() == []


def test_a_flat_image_may_be_packed_very_small(tmp_path: Path) -> None:
    zeros = bytes(252 * 252 * 4 * 2)

    with ZipArchive(zip_of(tmp_path / "a.zip", {"a": zeros})) as opened:
        assert opened.entries[0].packed_bytes * 500 < len(zeros)
        assert opened.bounds_exceeded() == []


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_entry_bytes=len(CONTENT) - 1), "entry-too-large"),
        (Limits(max_total_bytes=len(CONTENT) - 1), "total-too-large"),
        (Limits(max_ratio=2, ratio_from_bytes=len(CONTENT) - 1), "compression-ratio"),
    ],
)
def test_each_limit_is_a_limit(limits: Limits, code: str, tmp_path: Path) -> None:
    with ZipArchive(zip_of(tmp_path / "a.zip", {"a": CONTENT}), limits=limits) as opened:
        assert [found.code for found in opened.bounds_exceeded()] == [code]


def test_a_cut_directory_is_damage(archive: Path) -> None:
    data = archive.read_bytes()
    end = data.rindex(b"PK\x05\x06")

    assert code_of_opening(io.BytesIO(data[: end - 10] + data[end:])) == "archive-damaged"


def test_a_name_that_is_not_utf_8_is_damage(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"ä": b""})

    def spoil(records: list[bytearray]) -> list[bytearray]:
        records[0][46] = 0xFF
        return records

    assert code_of_opening(edit_directory(path, spoil)) == "archive-damaged"


def test_a_newer_version_of_the_format_is_damage(archive: Path) -> None:
    def raise_version(records: list[bytearray]) -> list[bytearray]:
        struct.pack_into("<H", records[0], 6, 64)
        return records

    assert code_of_opening(edit_directory(archive, raise_version)) == "archive-damaged"


@pytest.mark.parametrize("size", [1, 4, 21, 22, 100])
def test_a_zip_that_was_cut_short_is_told_from_no_zip(size: int, archive: Path) -> None:
    cut = archive.read_bytes()[:size]

    assert code_of_opening(io.BytesIO(cut)) == ("archive-not-zip" if size < 4 else "archive-truncated")


def test_patched_data_is_not_supported(archive: Path) -> None:
    def mark(records: list[bytearray]) -> list[bytearray]:
        records[0][8] |= 0x20
        return records

    with ZipArchive(edit_directory(archive, mark)) as opened:
        assert not opened.entries[0].is_supported
