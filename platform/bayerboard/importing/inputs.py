"""The inputs of a phase as one zip."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from bayerboard.importing.materials import (
    MaterialInvalid,
    PreparedFile,
    describe,
    zip_entry,
)
from scoring.archive import ArchiveError, Limits
from scoring.images import open_npz, read_header
from scoring.manifest import natural_key
from scoring.naming import is_junk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_INPUT_BYTES = 64_000_000
_LIMITS = Limits(max_ratio=float("inf"))
_NUMBERS = frozenset({"uint8", "uint16", "uint32", "int16", "int32", "float16", "float32", "float64"})
_PICTURES = {"jpg": "JPEG", "png": "PNG"}


@dataclass(frozen=True)
class PreparedInputs:
    """The inputs of a phase as one zip, with the height and width of each by its stem, in natural order.

    And with the ``max_val`` of each, where they are .npz.
    """

    file: PreparedFile
    sizes: dict[str, tuple[int, int]]
    levels: dict[str, float]
    ignored: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.sizes)


def prepare_inputs(source: Path, target: Path, suffix: str = "jpg") -> PreparedInputs:
    """Collect the files of one kind of a folder or zip, and nothing else that lies beside them, into one zip.

    Only that kind: references may lie in the same folder, and must not leave it.
    """
    with ExitStack() as stack:
        images: dict[str, Callable[[], IO[bytes]]] = {}
        ignored = 0
        for path, opener in _entries(source, stack):
            if path.suffix.lower() != f".{suffix}":
                ignored += 1
            elif path.stem in images:
                raise MaterialInvalid(f"{source} holds {path.stem}.{suffix} twice.", "Remove one of the two.")
            else:
                images[path.stem] = opener
        if not images:
            hint = "Name the folder or zip that holds the inputs, and their kind as input_format."
            raise MaterialInvalid(f"{source} holds no .{suffix}.", hint)
        sizes, levels = {}, {}
        with zipfile.ZipFile(target, "w") as archive:
            for name in sorted(images, key=natural_key):
                label = f"{name}.{suffix} in {source}"
                data = _read(images[name], label)
                sizes[name] = _size(data, suffix, label)
                if suffix == "npz":
                    levels[name] = _level(data, label)
                archive.writestr(zip_entry(f"{name}.{suffix}"), data)
    return PreparedInputs(describe(target, target.name), sizes, levels, ignored)


def _entries(source: Path, stack: ExitStack) -> Iterator[tuple[PurePosixPath, Callable[[], IO[bytes]]]]:
    """Yield the files of a folder (not of the folders in it) or of a zip, with what opens them; no junk."""
    if source.is_dir():
        for path in source.iterdir():
            if not is_junk(path.name) and path.is_file():
                yield PurePosixPath(path.name), _opener(path)
        return
    try:
        archive = stack.enter_context(zipfile.ZipFile(source))
    except zipfile.BadZipFile as error:
        raise MaterialInvalid(f"{source} cannot be read: {error}.", "Make the zip again.") from error
    for info in archive.infolist():
        if not info.is_dir() and not is_junk(info.filename):
            yield PurePosixPath(info.filename), partial(archive.open, info)


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _read(opener: Callable[[], IO[bytes]], label: str) -> bytes:
    try:
        with opener() as stream:
            data = stream.read(MAX_INPUT_BYTES + 1)
    except (zipfile.BadZipFile, RuntimeError, zlib.error) as error:
        raise MaterialInvalid(f"{label} cannot be read: {error}.", "Replace it.") from error
    if len(data) > MAX_INPUT_BYTES:
        raise MaterialInvalid(f"{label} is larger than {MAX_INPUT_BYTES:,} bytes.", "Check the file.")
    return data


def _size(data: bytes, suffix: str, label: str) -> tuple[int, int]:
    """Return height and width by the header alone: faults in the rest show in a participant's program."""
    if suffix in _PICTURES:
        return _picture_size(data, _PICTURES[suffix], label)
    try:
        shape, dtype = read_header(data, suffix, file=label, limits=_LIMITS)
    except ArchiveError as error:
        raise MaterialInvalid(error.problem.message, error.problem.hint) from error
    # Numbers alone: an array of objects is a pickle, which no participant should have to open.
    if len(shape) not in {2, 3} or 0 in shape or dtype not in _NUMBERS:
        message = f"{label} holds {dtype} of shape {shape}, which is no image."
        raise MaterialInvalid(message, "Save numbers of shape (height, width) or (height, width, channels).")
    return shape[0], shape[1]


def _level(data: bytes, label: str) -> float:
    """Return the ``max_val`` of a .npz whose header could be read."""
    with open_npz(data, file=label, limits=_LIMITS) as npz:
        return npz.max_val


def _picture_size(data: bytes, kind: str, label: str) -> tuple[int, int]:
    """Return the size of a picture of any depth: RAW comes as grey .png of 16 bits, too."""
    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            picture = Image.open(BytesIO(data), formats=[kind])
        picture.close()
    except UnidentifiedImageError as error:
        raise MaterialInvalid(f"{label} is not a {kind} picture.", "Replace it.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MaterialInvalid(f"{label} cannot be read: {error}.", "Replace it.") from error
    return picture.height, picture.width
