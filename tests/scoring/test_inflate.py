"""Inflating: the announced size is where it stops."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.inflate import DamagedStream, crc32, inflate


def deflate(data: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@given(st.binary(max_size=5000), st.integers(0, 9), st.integers(1, 6000))
def test_gives_the_start_that_was_asked_for(data: bytes, level: int, size_bytes: int) -> None:
    packed = deflate(data, level)

    assert inflate(io.BytesIO(packed).read, len(packed), size_bytes) == data[:size_bytes]


def test_reads_in_pieces_and_no_more_than_it_needs() -> None:
    data = bytes(range(256)) * 20_000
    packed = deflate(data, 0)
    asked: list[int] = []
    stream = io.BytesIO(packed)

    def read(size_bytes: int) -> bytes:
        asked.append(size_bytes)
        return stream.read(size_bytes)

    assert inflate(read, len(packed), len(data) + 1) == data
    assert max(asked) <= 1 << 20
    stream.seek(0)
    asked.clear()
    assert inflate(read, len(packed), 100) == data[:100]
    assert sum(asked) <= 1 << 13


def test_a_bomb_is_inflated_no_further_than_announced() -> None:
    packed = deflate(bytes(50_000_000))

    assert len(inflate(io.BytesIO(packed).read, len(packed), 1000)) == 1000


def test_what_is_no_stream_is_refused() -> None:
    with pytest.raises(DamagedStream):
        inflate(io.BytesIO(b"\xff" * 100).read, 100, 1000)


@given(st.binary())
def test_the_checksum_is_that_of_zips(data: bytes) -> None:
    assert crc32(data) == zlib.crc32(data)
