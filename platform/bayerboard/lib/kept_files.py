"""Copies of remote objects on this machine's disk, shared by its worker processes and bounded in size."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

from bayerboard.lib.embedded import make_data_dir
from bayerboard.lib.storage import LocalDisk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bayerboard.lib.storage import ObjectStore

    Fetch = Callable[[], AbstractContextManager[Path]]


def kept_copy(store: ObjectStore, key: str, size_bytes: int, fetch: Fetch) -> AbstractContextManager[Path]:
    """Give an object that is asked for again and again as a file: `fetch`, which makes a local copy, is used once.

    On the local disk there is nothing to keep.
    """
    if isinstance(store, LocalDisk):
        return fetch()
    return KeptFiles(settings.REFERENCE_CACHE_DIR / "files", settings.REFERENCE_CACHE_BYTES).hold(
        key, size_bytes, fetch
    )


class KeptFiles:
    """A folder of copies, together at most `max_bytes`; what was not used for the longest time goes first.

    Beside each copy lies an empty lock file: held shared while the copy is read, exclusively while it is written or
    removed. The system drops a lock with the process that held it, so that no kill leaves one behind.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    @contextmanager
    def hold(self, key: str, size_bytes: int, fetch: Fetch) -> Iterator[Path]:
        """Give the copy of an immutable object for as long as the `with` block lasts; `fetch` brings it once."""
        if size_bytes > self.max_bytes:
            with fetch() as path:
                yield path
            return
        copy = make_data_dir(self.folder) / hashlib.sha256(key.encode()).hexdigest()
        with _lock_file(copy).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            while not _is_whole(copy, size_bytes):
                fcntl.flock(lock, fcntl.LOCK_EX)
                # Another process may have brought it while this one waited for the lock.
                if not _is_whole(copy, size_bytes):
                    self._bring(copy, size_bytes, fetch)
                # Between the two locks it can be removed again: then once more.
                fcntl.flock(lock, fcntl.LOCK_SH)
            os.utime(copy)
            yield copy

    def _bring(self, copy: Path, size_bytes: int, fetch: Fetch) -> None:
        """Write the copy, whole or not at all; the caller holds its lock."""
        self._make_room(size_bytes)
        draft = copy.with_suffix(".new")
        with fetch() as source, source.open("rb") as stream, draft.open("wb") as new:
            shutil.copyfileobj(stream, new, 1 << 20)
            new.flush()
            # A power cut must not leave a file of the right size and without its content.
            os.fsync(new.fileno())
        held = draft.stat().st_size
        if held != size_bytes:
            raise OSError(f"the storage gave {held} bytes in place of {size_bytes}")
        draft.replace(copy)

    def _make_room(self, needed: int) -> None:
        found = [(path, state) for path in self.folder.iterdir() if path.suffix != ".lock" and (state := _state(path))]
        total = needed + sum(state.st_size for _, state in found)
        for path, state in sorted(found, key=lambda item: item[1].st_mtime):
            if total <= self.max_bytes:
                return
            with _lock_file(path).open("ab") as lock:
                if _try_lock(lock):
                    path.unlink(missing_ok=True)
                    total -= state.st_size


def _lock_file(copy: Path) -> Path:
    return copy.with_suffix(".lock")


def _is_whole(copy: Path, size_bytes: int) -> bool:
    state = _state(copy)
    return state is not None and state.st_size == size_bytes


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _try_lock(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False  # a worker reads it
    return True
