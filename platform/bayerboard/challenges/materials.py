"""Makes the files that Bayerboard keeps of an organiser's folders and zips: inputs, references, downloads.

The same content gives the same bytes, so that a second import finds that nothing has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from scoring.canonical import sha256_of_json
from scoring.manifest import natural_key
from scoring.naming import is_junk
from scoring.problems import ReferenceInvalid
from scoring.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scoring.protocol import Protocol

MAX_INPUT_BYTES = 64_000_000
MAX_FILENAME = 120
SHOWN_NAMES = 5
PACKED_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".zip", ".gz", ".npz", ".mp4", ".pth", ".pt"})
# One time for all entries: a zip's hash must not depend on when it was made.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class MaterialInvalid(Exception):
    """An organiser's file or folder that cannot be used: what is wrong, and what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message, self.hint = message, hint


@dataclass(frozen=True)
class PreparedFile:
    """A file that is ready for storage."""

    path: Path
    filename: str
    sha256: str
    size_bytes: int

    def key(self, folder: str) -> str:
        """Where it lies in the storage: by content, so that the same file is stored once and never replaced."""
        return f"{folder}/{self.sha256}{self.path.suffix}"


@dataclass(frozen=True)
class PreparedInputs:
    """The inputs of a phase as one zip, with the stems of the images in natural order."""

    file: PreparedFile
    names: tuple[str, ...]
    ignored: int


@dataclass(frozen=True)
class PreparedReference:
    """The reference of a phase as one zip, with its private manifest."""

    file: PreparedFile
    names: tuple[str, ...]
    manifest: list[dict[str, Any]]

    @property
    def manifest_sha256(self) -> str:
        return sha256_of_json(self.manifest)


def list_names(names: list[str]) -> str:
    """Some of the names, and how many there are besides."""
    shown = ", ".join(sorted(names, key=natural_key)[:SHOWN_NAMES])
    return f"{shown} and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else shown


def prepare_inputs(source: Path, target: Path) -> PreparedInputs:
    """Collect the .jpg files of a folder or zip, and nothing else that lies beside them, into one zip."""
    with ExitStack() as stack:
        images: dict[str, Callable[[], IO[bytes]]] = {}
        ignored = 0
        for path, opener in _entries(source, stack):
            if path.suffix.lower() != ".jpg":
                ignored += 1
            elif path.stem in images:
                raise MaterialInvalid(f"{source} holds {path.stem}.jpg twice.", "Remove one of the two.")
            else:
                images[path.stem] = opener
        if not images:
            raise MaterialInvalid(f"{source} holds no .jpg.", "Name the folder or zip that holds the inputs.")
        names = tuple(sorted(images, key=natural_key))
        with zipfile.ZipFile(target, "w") as archive:
            for name in names:
                data = _read_jpeg(images[name], f"{name}.jpg in {source}")
                archive.writestr(_zip_entry(f"{name}.jpg"), data)
    return PreparedInputs(_describe(target, target.name), names, ignored)


def prepare_reference(source: Path, target: Path, protocol: Protocol) -> PreparedReference:
    """Check every array of a folder or zip of .npy files, and collect them in one zip."""
    if protocol.container != "npy" or (protocol.subsets and protocol.subset_pattern is None):
        message = f"Tracks by {protocol.name} cannot be imported yet."
        raise MaterialInvalid(message, "Score them with “python -m scoring score”.")
    try:
        with Reference.open(source, protocol) as reference, zipfile.ZipFile(target, "w") as archive:
            for name in reference.names:
                # Not compressed: a reference is read again for every submission, a disk is cheap.
                array = reference.load(name).astype("<u2", copy=False)
                with archive.open(_zip_entry(f"{name}.npy"), "w") as stream:
                    np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
            names, manifest = reference.names, reference.private_manifest()
    except ReferenceInvalid as error:
        hint = f"Every image must be {protocol.array_label}, 0..{protocol.max_value}."
        raise MaterialInvalid(f"{str(error).rstrip('.')}.", hint) from error
    return PreparedReference(_describe(target, target.name), names, manifest)


def prepare_download(source: Path, scratch: Path) -> PreparedFile:
    """Copy a file as it is; zip a folder."""
    source = source.resolve()
    if len(source.name) > MAX_FILENAME - len(".zip"):
        raise MaterialInvalid(f"The name {source.name} is too long.", f"{MAX_FILENAME} characters at most.")
    # Never the organiser's own file, since the storage takes over what it gets; and two sources of one name must
    # not meet here.
    target = scratch / hashlib.sha256(os.fsencode(source)).hexdigest()
    if source.is_file():
        shutil.copyfile(source, target)
        return _describe(target, source.name)
    with zipfile.ZipFile(target, "w") as archive:
        for path in _walk(source):
            entry = _zip_entry(f"{source.name}/{path.relative_to(source).as_posix()}")
            entry.file_size = path.stat().st_size
            if path.suffix.lower() not in PACKED_SUFFIXES:
                entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as stream, archive.open(entry, "w") as packed:
                shutil.copyfileobj(stream, packed, 1 << 20)
        if not archive.filelist:
            raise MaterialInvalid(f"{source} is empty.", "Name a file, or a folder with files.")
    return _describe(target, f"{source.name}.zip")


def _entries(source: Path, stack: ExitStack) -> Iterator[tuple[PurePosixPath, Callable[[], IO[bytes]]]]:
    """The files of a folder (not of the folders in it) or of a zip, with what opens them; no junk."""
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


def _walk(folder: Path) -> Iterator[Path]:
    """The files below a folder in a fixed order; no junk."""
    for path in sorted(folder.iterdir(), key=lambda path: natural_key(path.name)):
        if is_junk(path.name):
            continue
        if path.is_symlink() and path.is_dir():
            raise MaterialInvalid(f"{path} is a link to a folder.", "Put the folder itself there.")
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path
        else:
            raise MaterialInvalid(f"{path} is neither a file nor a folder.", "Remove it.")


def _read_jpeg(opener: Callable[[], IO[bytes]], label: str) -> bytes:
    try:
        with opener() as stream:
            data = stream.read(MAX_INPUT_BYTES + 1)
        if len(data) > MAX_INPUT_BYTES:
            raise MaterialInvalid(f"{label} is larger than {MAX_INPUT_BYTES:,} bytes.", "Check the file.")
        # only its header: a participant's program will say what is wrong with the rest
        Image.open(BytesIO(data), formats=["JPEG"]).close()
    except UnidentifiedImageError as error:
        raise MaterialInvalid(f"{label} is not a JPEG picture.", "Replace it.") from error
    except (zipfile.BadZipFile, RuntimeError, zlib.error, Image.DecompressionBombError) as error:
        raise MaterialInvalid(f"{label} cannot be read: {error}.", "Replace it.") from error
    return data


def _zip_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ZIP_TIME)
    entry.create_system = 3  # Unix, wherever it is made
    entry.external_attr = 0o644 << 16
    return entry


def _describe(path: Path, filename: str) -> PreparedFile:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return PreparedFile(path, filename, sha256, path.stat().st_size)
