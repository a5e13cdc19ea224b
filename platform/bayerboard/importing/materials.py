"""Makes the files that Bayerboard keeps of an organiser's folders and zips, and the downloads among them.

The same content gives the same bytes, so that a second import finds that nothing has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoring.manifest import natural_key
from scoring.naming import is_junk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILENAME = 120
SHOWN_NAMES = 5
PACKED_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".zip", ".gz", ".npz", ".mp4", ".pth", ".pt"})
# One time for all entries: a zip's hash must not depend on when it was made.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class MaterialInvalid(Exception):
    """An organiser's file or folder that cannot be used, with a message and a hint."""

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


def list_names(names: list[str]) -> str:
    """Return some of the names, and how many there are besides."""
    shown = ", ".join(sorted(names, key=natural_key)[:SHOWN_NAMES])
    return f"{shown} and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else shown


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
        return describe(target, source.name)
    with zipfile.ZipFile(target, "w") as archive:
        for path in _walk(source):
            entry = zip_entry(f"{source.name}/{path.relative_to(source).as_posix()}")
            entry.file_size = path.stat().st_size
            if path.suffix.lower() not in PACKED_SUFFIXES:
                entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as stream, archive.open(entry, "w") as packed:
                shutil.copyfileobj(stream, packed, 1 << 20)
        if not archive.filelist:
            raise MaterialInvalid(f"{source} is empty.", "Name a file, or a folder with files.")
    return describe(target, f"{source.name}.zip")


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in a fixed order; no junk."""
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


def zip_entry(name: str) -> zipfile.ZipInfo:
    """Describe a file in a zip by its name alone."""
    entry = zipfile.ZipInfo(name, ZIP_TIME)
    entry.create_system = 3  # Unix, wherever it is made
    entry.external_attr = 0o644 << 16
    return entry


def describe(path: Path, filename: str) -> PreparedFile:
    """Hash and measure a file that is ready for storage."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return PreparedFile(path, filename, sha256, path.stat().st_size)
