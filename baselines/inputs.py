"""Reading a track's tiles, RGB or RAW, from a folder or from a zip, one at a time, in natural order."""

from __future__ import annotations

import io
import re
import stat
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from baselines.cfa import pack_ultraisp
from baselines.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from baselines.tracks import Track

JPG_SUFFIXES = (".jpg", ".jpeg")
PNG_SUFFIXES = (".png",)
# A tile of 504×504 pixels is under 800 kB even when it is stored without loss.
MAX_TILE_BYTES = 8 * 1024 * 1024
# Pillow's exceptions for damage
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
# zipfile's exceptions for damage; RuntimeError says that an entry is encrypted
ENTRY_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class TileSource:
    """The tiles of one folder or zip.

    Attributes
    ----------
    names
        The tiles' stems in natural order (``6_2`` before ``6_10``).
    """

    def __init__(self, readers: dict[str, Callable[[], bytes]], files: dict[str, str], track: Track) -> None:
        self.names = tuple(sorted(readers, key=natural_key))
        self._readers = readers
        self._files = files
        self._track = track

    def load(self, name: str) -> NDArray[Any]:
        """Decode one tile: RGB to uint8 H×W×3; UltraISP's RAW to uint16 H/2×W/2×4 in B, Gb, R, Gr order.

        Raises
        ------
        InputError
            If it cannot be read, or is not of the track's tile size; the text names the file.
        """
        data, file = self._readers[name](), self._files[name]
        if self._track.reads_raw:
            return pack_ultraisp(decode_bayer_png(data, file, self._track))
        return decode_jpg(data, file, self._track)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that orders the numbers in a name by value.

    `scoring` has one too; a baseline's download does without `scoring`.
    """
    key = []
    for digits, text in re.findall(r"0*([0-9]+)|([^0-9]+)", name):
        # by length, then by digits: any number of digits compares by value
        key.append((0, len(digits), digits) if digits else (1, 0, text))
    return tuple(key)


@contextmanager
def open_tiles(path: Path, track: Track) -> Iterator[TileSource]:
    """Open a folder of a track's input files (.jpg, or .png of RAW), or a zip of them, never unpacked to disk.

    Raises
    ------
    InputError
        If there is no such folder or zip, it has no such file in it, or two of them have one stem.
    """
    if path.is_dir():
        yield _folder_source(path, track)
    elif zipfile.is_zipfile(path):
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise InputError(f"{path} is a damaged zip: {error}.") from error
        with archive:
            yield _zip_source(archive, path, track)
    elif path.exists():
        raise InputError(f"{path} is neither a folder of {_suffixes(track)[0]} files nor a zip of them.")
    else:
        raise InputError(f"There is no folder or zip {path}.")


def decode_jpg(data: bytes, file: str, track: Track) -> NDArray[np.uint8]:
    """Decode a JPG to uint8 H×W×3; the size is checked before any pixel is decoded.

    Raises
    ------
    InputError
        If it is no readable RGB JPG of the track's tile size; the text names the file.
    """
    rgb: NDArray[np.uint8] = _decode(data, file, track, ("JPEG", "JPG"), ("RGB",), "the tiles are RGB")
    return rgb


def decode_rgb_png(data: bytes, file: str, track: Track) -> NDArray[np.uint8]:
    """Decode an 8-bit RGB PNG to uint8 H×W×3, as `decode_jpg` does."""
    rgb: NDArray[np.uint8] = _decode(data, file, track, ("PNG", "PNG"), ("RGB",), "the tiles are RGB")
    return rgb


def decode_bayer_png(data: bytes, file: str, track: Track) -> NDArray[np.uint16]:
    """Decode a 16-bit grey PNG, a Bayer plane, to uint16 H×W, as `decode_jpg` does."""
    bayer = _decode(data, file, track, ("PNG", "PNG"), ("I;16", "I;16B", "I"), "a Bayer plane is 16-bit grey")
    return bayer.astype(np.uint16)


def _decode(
    data: bytes, file: str, track: Track, kind: tuple[str, str], modes: tuple[str, ...], wanted: str
) -> NDArray[Any]:
    """Decode a picture of one of Pillow's formats, which has a second name for people."""
    size = track.tile_size
    format_name, title = kind
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=[format_name])
        if image.size != (size, size):
            width, height = image.size
            raise InputError(f"{file} is {width}×{height} pixels; track {track.name} has {size}×{size}.")
        if image.mode not in modes:
            raise InputError(f"{file} is a {title} of mode {image.mode}; {wanted}.")
        return np.array(image)  # a copy: Pillow lends its own memory, which PyTorch may not be given
    except UnidentifiedImageError as error:
        raise InputError(f"{file} is not a {title}.") from error
    except DECODE_ERRORS as error:
        raise InputError(f"{file} cannot be decoded: {error}.") from error


def _folder_source(folder: Path, track: Track) -> TileSource:
    files = sorted(entry for entry in folder.iterdir() if entry.is_file() and _is_tile(entry.name, track))
    _check(str(folder), [file.name for file in files], track)
    return TileSource(
        {file.stem: _file_reader(file) for file in files}, {file.stem: file.name for file in files}, track
    )


def _zip_source(archive: zipfile.ZipFile, path: Path, track: Track) -> TileSource:
    tiles = [info for info in archive.infolist() if _is_tile_entry(info, track)]
    entries = {PurePosixPath(info.filename).stem: info for info in tiles}
    _check(str(path), [info.filename for info in tiles], track)
    return TileSource(
        {stem: _entry_reader(archive, info) for stem, info in entries.items()},
        {stem: info.filename for stem, info in entries.items()},
        track,
    )


def _suffixes(track: Track) -> tuple[str, ...]:
    return PNG_SUFFIXES if track.reads_raw else JPG_SUFFIXES


def _is_tile(name: str, track: Track) -> bool:
    return name.lower().endswith(_suffixes(track)) and not name.startswith(".")


def _is_tile_entry(info: zipfile.ZipInfo, track: Track) -> bool:
    path = PurePosixPath(info.filename)
    if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16) or "__MACOSX" in path.parts:
        return False
    return _is_tile(path.name, track)


def _check(where: str, files: Iterable[str], track: Track) -> None:
    stems: dict[str, str] = {}
    for file in files:
        stem = PurePosixPath(file).stem
        if stem in stems:
            raise InputError(f"{where} has two tiles called {stem}: {stems[stem]} and {file}.")
        stems[stem] = file
    if not stems:
        raise InputError(f"{where} has no {_suffixes(track)[0]} file in it.")


def _file_reader(file: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with file.open("rb") as stream:
                return _bounded(stream.read(MAX_TILE_BYTES + 1), file.name)
        except OSError as error:
            raise InputError(f"{file.name} cannot be read: {error.strerror}.") from error

    return read


def _entry_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with archive.open(info) as stream:
                return _bounded(stream.read(MAX_TILE_BYTES + 1), info.filename)
        except ENTRY_ERRORS as error:
            raise InputError(f"{info.filename} cannot be read from the zip: {error}.") from error

    return read


def _bounded(data: bytes, file: str) -> bytes:
    if len(data) > MAX_TILE_BYTES:
        raise InputError(f"{file} is larger than {MAX_TILE_BYTES // 1024**2} MiB: no tile is.")
    return data
