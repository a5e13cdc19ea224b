"""Where archives, references and downloads lie: one small interface, local disk behind it."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")


class InvalidKey(ValueError):
    """A key that is not lower-case path segments; keys are made by the site, never by a participant."""


class ObjectStore(ABC):
    """Immutable objects under keys such as `archives/3f…e1.zip`; a key is written once and never changed."""

    @abstractmethod
    def put(self, key: str, source: Path) -> None:
        """Take the file over under `key`, whole and durable before this returns; `source` may be moved."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Open for reading and seeking; FileNotFoundError when there is none."""

    @abstractmethod
    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """Give the object as a file on this machine's disk, for as long as the `with` block lasts."""

    @abstractmethod
    def size_bytes(self, key: str) -> int:
        """Return the size; FileNotFoundError when there is none."""

    @abstractmethod
    def exists(self, key: str) -> bool: ...

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the object; no error when there is none."""


class LocalDisk(ObjectStore):
    """Objects as files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key) or ".." in key:
            raise InvalidKey(key)
        return self.root / key

    def put(self, key: str, source: Path) -> None:
        target = self._path(key)
        _make_folder(target.parent)
        descriptor, draft_name = tempfile.mkstemp(dir=target.parent, prefix=".put-")
        os.close(descriptor)
        draft = Path(draft_name)
        try:
            # A rename on the same disk; a copy beside the target otherwise, so that the last step is a rename too.
            try:
                source.replace(draft)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                shutil.copyfile(source, draft)
            _flush(draft)
            draft.replace(target)
            _flush(target.parent)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def open(self, key: str) -> BinaryIO:
        return self._path(key).open("rb")

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path

    def size_bytes(self, key: str) -> int:
        return self._path(key).stat().st_size

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Create the folder and those above it, and put their names on the disk as well."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True, mode=0o700)
        _flush(path.parent)


def _flush(path: Path) -> None:
    """Force a file, or a folder's list of names, to the disk: what is acknowledged survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def object_store() -> ObjectStore:
    """Return the store that the settings name."""
    return LocalDisk(settings.STORAGE_DIR)
