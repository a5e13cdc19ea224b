"""The header in front of each file in a zip, compared with its record in the table of contents.

Two programs that trust different ones of the two see two different archives; and files that share bytes are how a
small zip unpacks to a huge one (D. Fifield, "A better zip bomb", WOOT 2019).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from scoring.catalogue import DETAILS

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable

SIGNATURE = b"PK\x03\x04"
FIXED_BYTES = 30

_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_HAS_DESCRIPTOR = 0x8
_NAME_IS_UTF8 = 0x800
# How hard deflate tried: it changes nothing for a reader.
_EFFORT_FLAGS = 0x6
_ZIP64_ID = 1
_IN_ZIP64 = 0xFFFFFFFF


class LocalHeaderError(ValueError):
    """An entry differs from its record in the table of contents; the message names the difference."""


class NoLocalHeaderError(ValueError):
    """Where the table of contents points to, no entry begins."""


@dataclass(frozen=True)
class Span:
    """The bytes of a file in the zip that belong to one entry: header, packed data and data descriptor."""

    start: int
    data_start: int
    end: int


def read_span(info: zipfile.ZipInfo, read_at: Callable[[int, int], bytes]) -> Span:
    """Compare an entry's own header, and its data descriptor if it has one, with the table of contents.

    Parameters
    ----------
    info
        The entry as the table of contents has it.
    read_at
        Reads so many bytes at a position of the file: fewer at its end, none outside.

    Raises
    ------
    NoLocalHeaderError
        No header stands there, or the file ends before the entry does.
    LocalHeaderError
        Name, flags, method, sizes or checksum differ.
    """
    fixed = read_at(info.header_offset, FIXED_BYTES)
    if len(fixed) < FIXED_BYTES or not fixed.startswith(SIGNATURE):
        raise NoLocalHeaderError("no entry begins here")
    _, _, flags, method, _, _, crc, packed_bytes, size_bytes, name_bytes, extra_bytes = struct.unpack(
        "<4s5H3I2H", fixed
    )
    variable = read_at(info.header_offset + FIXED_BYTES, name_bytes + extra_bytes)
    data_start = info.header_offset + FIXED_BYTES + name_bytes + extra_bytes
    if len(variable) < name_bytes + extra_bytes:
        raise NoLocalHeaderError("the file ends inside the header")
    name, extra = variable[:name_bytes], variable[name_bytes:]
    if _decoded(name, flags) != info.orig_filename:
        raise LocalHeaderError(DETAILS["differs-name"])
    if (flags ^ info.flag_bits) & ~_EFFORT_FLAGS:
        raise LocalHeaderError(DETAILS["differs-flags"])
    if method != info.compress_type:
        raise LocalHeaderError(DETAILS["differs-method"])
    if _IN_ZIP64 in (size_bytes, packed_bytes):
        size_bytes, packed_bytes = _zip64_sizes(extra, size_bytes, packed_bytes)
    told = (crc, packed_bytes, size_bytes)
    expected = (info.CRC, info.compress_size, info.file_size)
    end = data_start + info.compress_size
    if not flags & _HAS_DESCRIPTOR:
        if told != expected:
            raise LocalHeaderError(DETAILS["differs-sizes"])
        return Span(info.header_offset, data_start, end)
    # Written before they were known: a value that is there already must be right.
    if any(value not in (0, wanted) for value, wanted in zip(told, expected, strict=True)):
        raise LocalHeaderError(DETAILS["differs-sizes"])
    return Span(info.header_offset, data_start, end + _descriptor_bytes(expected, read_at(end, 24)))


def _decoded(name: bytes, flags: int) -> str | None:
    """Decode a name as zipfile does in the table of contents; return None for one that it would not read."""
    try:
        return name.decode("utf-8" if flags & _NAME_IS_UTF8 else "cp437")
    except UnicodeDecodeError:
        return None


def _zip64_sizes(extra: bytes, size_bytes: int, packed_bytes: int) -> tuple[int, int]:
    """Return the sizes beyond 32 bits from the extra field: unpacked first, each only where it is needed."""
    while len(extra) >= 4:
        field, length = struct.unpack_from("<HH", extra)
        if field == _ZIP64_ID and length <= len(extra) - 4:
            wide = [value for (value,) in struct.iter_unpack("<Q", extra[4 : 4 + length - length % 8])]
            size_bytes = wide.pop(0) if size_bytes == _IN_ZIP64 and wide else size_bytes
            packed_bytes = wide.pop(0) if packed_bytes == _IN_ZIP64 and wide else packed_bytes
            return size_bytes, packed_bytes
        extra = extra[4 + length :]
    return size_bytes, packed_bytes


def _descriptor_bytes(expected: tuple[int, int, int], found: bytes) -> int:
    """Return the length of the data descriptor: with or without its signature, with sizes of 32 or 64 bits."""
    for signature in (_DESCRIPTOR_SIGNATURE, b""):
        for layout in ("<IQQ", "<III"):
            try:
                descriptor = signature + struct.pack(layout, *expected)
            except struct.error:  # a size of more than 32 bits
                continue
            if found.startswith(descriptor):
                return len(descriptor)
    raise LocalHeaderError(DETAILS["differs-descriptor"])


def overlap(spans: list[Span]) -> bool:
    """Return whether any two entries share a byte."""
    ordered = sorted(spans, key=lambda span: span.start)
    return any(after.start < before.end for before, after in pairwise(ordered))
