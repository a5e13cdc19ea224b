"""What makes a file durable, and what a full disk is called."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
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
def no_room_is_told() -> Iterator[None]:
    """Raise StorageFull where the disk, or what this user may have of it, is full."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(error.strerror or "no room") from error
        raise
