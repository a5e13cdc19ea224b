"""Decoded references, kept on disk from one submission to the next.

The images themselves are kept: inflating and decoding them is most of the work that depends on the reference alone. Of
the four filters of SSIM only one does, and its result is four times as large as the image.

Worker processes may share a folder: files appear whole or not at all, each has a checksum, and one that vanishes or is
damaged is read from the reference again.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scoring.canonical import sha256_of_json
from scoring.images import Decoded
from scoring.inflate import crc32

if TYPE_CHECKING:
    from scoring.manifest import FileSpec
    from scoring.protocol import Protocol
    from scoring.reference import Reference

# Checksum of the rest, and the level that the file says is white (NaN for none); then the values in C order.
_HEADER = struct.Struct("<Id")


class ReferenceCache:
    """A folder of decoded references, of all sets together at most ``max_bytes``.

    When it grows beyond that, the sets that were not used for the longest time go.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def of(self, reference: Reference, protocol: Protocol) -> CachedReference:
        """Return the cache's part for a reference set and protocol; remove sets that do not fit beside it."""
        key = sha256_of_json([reference.fingerprint(), protocol.digest])
        folder = self.folder / key
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process made room in between: the images are read again
            os.utime(folder)
        specs = {spec.name: spec for spec in reference.manifest().files}
        needed = sum(_HEADER.size + _size_bytes(spec) for spec in specs.values())
        fits = needed <= self.max_bytes
        if fits:
            self._make_room(needed, keep=folder)
        numbers = {name: number for number, name in enumerate(reference.names)}
        return CachedReference(reference, folder, specs, numbers, fits)

    def _make_room(self, needed: int, keep: Path) -> None:
        others = sorted((other for other in self.folder.iterdir() if other != keep), key=_last_used, reverse=True)
        for other in others:
            needed += _held_bytes(other)
            if needed > self.max_bytes:
                shutil.rmtree(other, ignore_errors=True)


@dataclass(frozen=True)
class CachedReference:
    """The images of one reference set: from the cache where they are in it, and else put there."""

    reference: Reference
    folder: Path
    specs: dict[str, FileSpec]
    numbers: dict[str, int]
    fits: bool

    def decode(self, name: str) -> Decoded:
        """Return an image like :meth:`scoring.reference.Reference.decode`."""
        path = self.folder / f"{self.numbers[name]}"
        found = self._read(path, self.specs[name])
        if found is None:
            found = self.reference.decode(name)
            if self.fits:
                self._write(path, found)
        return found

    def _read(self, path: Path, spec: FileSpec) -> Decoded | None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if len(data) != _HEADER.size + _size_bytes(spec):
            return None
        checksum, max_val = _HEADER.unpack_from(data)
        if crc32(data[4:]) != checksum:
            return None
        pixels = np.frombuffer(data, spec.dtype, offset=_HEADER.size).reshape(spec.shape)
        return Decoded(pixels, None if np.isnan(max_val) else max_val)

    def _write(self, path: Path, image: Decoded) -> None:
        max_val = float("nan") if image.max_val is None else image.max_val
        data = _HEADER.pack(0, max_val)[4:] + image.pixels.tobytes()
        try:
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(struct.pack("<I", crc32(data)) + data)
            Path(file.name).replace(path)
        except FileNotFoundError:
            # Another process made room: there is no folder any more, and nothing to keep.
            return


def _size_bytes(spec: FileSpec) -> int:
    return int(np.prod(spec.shape) * np.dtype(spec.dtype).itemsize)


def _last_used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _held_bytes(folder: Path) -> int:
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    except FileNotFoundError:
        return 0
