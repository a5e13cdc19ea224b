"""Writing files so that a reader sees the old one or the new one whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there; write straight into a pipe or a terminal.

    Raises
    ------
    OSError
        It cannot be written; an older file is still there.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    # A link stays one, and its target is replaced.
    path = path.resolve()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
