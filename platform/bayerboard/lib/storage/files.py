"""Helpers: fsync, ENOSPC as StorageFull, removal of stale temporary files."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bayerboard.lib.storage.interface import StorageFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def make_folder(folder: Path) -> None:
    """Create the folder and those above it, and put their names on the disk as well."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True, mode=0o700)
        flush(path.parent)


def flush(path: Path) -> None:
    """Force a file, or a folder's list of names, to the disk: what is acknowledged survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def raises_storage_full() -> Iterator[None]:
    """Raise StorageFull where the disk, or what this user may have of it, is full."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(error.strerror or "no room") from error
        raise


def children(folder: Path) -> list[Path]:
    """Return what lies in the folder; nothing when there is none."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def remove_old(path: Path, before: datetime) -> bool:
    """Remove a file or a folder that nobody has written to since; say whether it was."""
    try:
        # A folder may be as old as the long job that still writes into it.
        last_written = max(item.stat().st_mtime for item in (path, *path.rglob("*")))
    except FileNotFoundError:
        return False  # somebody is at work there
    if datetime.fromtimestamp(last_written, UTC) >= before:
        return False
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return True
