"""The headers inside a zip, against its table of contents; zip64, data descriptors, overlapping files."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scoring.archive import ArchiveError, Limits, ZipArchive
from scoring.check import check_archive
from scoring.local_headers import LocalHeaderError, Span, overlap, read_span
from tests.scoring.archives import _CENTRAL, edit_directory, npy_bytes, write_submission

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.manifest import Manifest
    from scoring.protocol import Protocol
    from tests.scoring.conftest import Images


class Unseekable(io.BytesIO):
    """A pipe, to which zipfile writes data descriptors."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("a pipe")


def written(*, unseekable: bool = False, zip64: bool = False, stored: bool = False) -> bytes:
    stream = Unseekable() if unseekable else io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("a.npy", "b.npy"):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=zip64) as entry:
                entry.write(npy_bytes(np.arange(50, dtype=np.uint16)))
    return stream.getvalue()


def faults(data: bytes) -> list[str]:
    with ZipArchive(io.BytesIO(data)) as archive:
        return [fault.message for fault in archive.header_faults()]


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize("unseekable", [False, True])
@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_what_zipfile_writes_is_consistent(unseekable: bool, zip64: bool, stored: bool) -> None:
    assert faults(written(unseekable=unseekable, zip64=zip64, stored=stored)) == []


def test_an_archive_with_zip64_records_is_read() -> None:
    """Of more than 65,535 files, or larger than 4 GiB; or of few and small ones where the program likes it."""
    data = written()
    end = data.rindex(b"PK\x05\x06")
    count, _, size, start = struct.unpack_from("<HHII", data, end + 8)
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    trailer = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)

    with ZipArchive(io.BytesIO(data[:end] + record + locator + trailer)) as archive:
        assert [entry.name for entry in archive.entries] == ["a.npy", "b.npy"]
        assert archive.header_faults() == []


def test_a_zip64_directory_that_claims_millions_of_files_is_cut_off() -> None:
    data = written()
    end = data.rindex(b"PK\x05\x06")
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 1 << 50, 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)

    with pytest.raises(ArchiveError, match=r"archive-damaged|too-many-entries"):
        ZipArchive(io.BytesIO(data[:end] + record + locator + data[end:]))


# Offsets of fields in a local header.
FLAGS_AT, METHOD_AT, CRC_AT, PACKED_AT, SIZE_AT, NAME_AT = 6, 8, 14, 18, 22, 30


@pytest.mark.parametrize(
    ("at", "value", "what"),
    [
        (NAME_AT, b"x", "its name"),
        (FLAGS_AT + 1, b"\x08", "its flags"),  # the name is UTF-8, which is the same here
        (METHOD_AT, b"\x00\x00", "its packing method"),
        (CRC_AT, b"\x00\x00\x00\x00", "its size or checksum"),
        (PACKED_AT, b"\x01\x00\x00\x00", "its size or checksum"),
        (SIZE_AT, b"\x01\x00\x00\x00", "its size or checksum"),
        (SIZE_AT, b"\xff\xff\xff\xff", "its size or checksum"),  # in zip64, where there is none
    ],
)
def test_a_header_that_says_something_else_is_found(at: int, value: bytes, what: str) -> None:
    assert faults(changed(written(), at, value)) == [
        f"a.npy is described in two ways: the zip's table of contents and the file itself differ in {what}."
    ]


def test_how_hard_deflate_tried_is_nobodys_business() -> None:
    assert faults(changed(written(), FLAGS_AT, b"\x02")) == []


def test_a_name_that_is_no_utf_8_is_another_name() -> None:
    data = changed(changed(written(), FLAGS_AT + 1, b"\x08"), NAME_AT, b"\xff")

    assert "its name" in faults(data)[0]


def test_no_header_is_damage() -> None:
    assert faults(changed(written(), 0, b"oops")) == [
        "a.npy cannot be unpacked: its packed data is damaged or ends too early."
    ]


@pytest.mark.parametrize("offset", [10**9, 400])
def test_a_header_outside_the_file_is_damage(offset: int, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(written())

    def edit(records: list[bytearray]) -> list[bytearray]:
        struct.pack_into("<I", records[0], 42, offset)
        return records

    assert "cannot be unpacked" in faults(edit_directory(tmp_path / "a.zip", edit).read_bytes())[0]


def test_a_header_longer_than_the_file_is_damage() -> None:
    assert "cannot be unpacked" in faults(changed(written(), 28, b"\xff\xff"))[0]


@pytest.mark.parametrize("at", [CRC_AT, SIZE_AT])
def test_what_is_known_before_a_data_descriptor_must_be_right(at: int) -> None:
    assert "its size or checksum" in faults(changed(written(unseekable=True), at, b"\x07"))[0]


def test_a_data_descriptor_that_says_something_else_is_found() -> None:
    data = written(unseekable=True)

    assert "its data descriptor" in faults(changed(data, data.index(b"PK\x07\x08") + 4, b"\x00\x00"))[0]


def test_a_data_descriptor_needs_no_signature() -> None:
    data = written(unseekable=True)
    second = data.index(b"PK\x03\x04", 4)
    signature = data.index(b"PK\x07\x08")
    # The first file's descriptor without its first four bytes; the rest moves up.
    shorter = data[:signature] + data[signature + 4 : second] + data[second:]
    directory = shorter.index(_CENTRAL)
    moved = bytearray(shorter)
    struct.pack_into("<I", moved, moved.index(_CENTRAL, directory + 4) + 42, second - 4)
    struct.pack_into("<I", moved, moved.rindex(b"PK\x05\x06") + 16, directory)

    assert faults(bytes(moved)) == []


def test_a_data_descriptor_of_a_file_beyond_4_gib_has_wide_sizes() -> None:
    size_bytes = 5 << 30
    info = zipfile.ZipInfo("a")
    info.flag_bits, info.CRC, info.compress_size, info.file_size = 8, 7, size_bytes, size_bytes
    info.header_offset = 0
    local = b"PK\x03\x04" + struct.pack("<5H3I2H", 45, 8, 0, 0, 33, 0, 0, 0, 1, 0) + b"a"
    descriptor = b"PK\x07\x08" + struct.pack("<IQQ", 7, size_bytes, size_bytes)
    pieces = {0: local, 30: local[30:], 31 + size_bytes: descriptor}

    assert read_span(info, lambda at, count: pieces[at][:count]).end == 31 + size_bytes + len(descriptor)
    with pytest.raises(LocalHeaderError, match="data descriptor"):
        read_span(info, lambda at, count: {**pieces, 31 + size_bytes: b""}[at][:count])


def test_a_zip64_extra_field_may_come_after_others_and_hold_one_size() -> None:
    name = b"a.npy"
    content = b"abc"
    crc = zlib.crc32(content)
    extra = struct.pack("<HHI", 0x7777, 4, 0) + struct.pack("<HHQ", 1, 8, 3)
    local = b"PK\x03\x04" + struct.pack("<5H3I2H", 45, 0, 0, 0, 33, crc, 3, 0xFFFFFFFF, len(name), len(extra))
    start = len(local) + len(name) + len(extra) + len(content)
    central = b"PK\x01\x02" + struct.pack("<6H3I5H2I", 45, 45, 0, 0, 0, 33, crc, 3, 3, len(name), 0, 0, 0, 0, 0, 0)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central) + len(name), start, 0)

    assert faults(local + name + extra + content + central + name + end) == []


def test_encrypted_and_unknown_entries_are_refused_elsewhere() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", b"a")

    assert faults(changed(stream.getvalue(), NAME_AT, b"x")) == []


def test_files_within_files_are_found(tmp_path: Path) -> None:
    """The better zip bomb: the second file's packed data begins inside the first."""
    inner = written(stored=True)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("first.npy", inner)
        archive.writestr("a.npy", npy_bytes(np.arange(50, dtype=np.uint16)))
        inside = archive.infolist()[0].header_offset + 30 + len("first.npy")
    path = tmp_path / "a.zip"
    path.write_bytes(stream.getvalue())

    def edit(records: list[bytearray]) -> list[bytearray]:
        struct.pack_into("<I", records[1], 42, inside)
        return records

    assert faults(edit_directory(path, edit).read_bytes()) == [
        "The archive lists files that share the same bytes, as a zip bomb does."
    ]


def test_a_file_may_not_reach_into_the_table_of_contents() -> None:
    with ZipArchive(io.BytesIO(written())) as archive:
        archive._directory_at -= 1

        assert [fault.code for fault in archive.header_faults()] == ["overlapping-entries"]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], False),
        ([(0, 5), (5, 9)], False),
        ([(5, 9), (0, 6)], True),
        ([(0, 9), (2, 3)], True),
        ([(1, 1), (1, 1)], False),
    ],
)
def test_spans_overlap_where_they_share_a_byte(spans: list[tuple[int, int]], expected: bool) -> None:
    assert overlap([Span(start, start, end) for start, end in spans]) == expected


def test_nothing_is_inflated_from_an_archive_that_contradicts_itself(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    path = write_submission(tmp_path / "a.zip", images)
    path.write_bytes(changed(path.read_bytes(), METHOD_AT, b"\x00\x00"))

    report = check_archive(path, manifest, protocol, Limits(max_entry_bytes=1 << 20))

    assert ([error.code for error in report.errors], report.factsheet) == (["entry-contradicted"], None)
