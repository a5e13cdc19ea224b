"""Copies of objects that are needed again and again: a worker fetches a reference once, not for every submission."""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from bayerboard.lib.storage.files import children, flush, raises_storage_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class CopyCache:
    """A bounded folder of copies, shared by the processes of a machine; objects never change, so neither do they."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    @contextmanager
    def copy(self, key: str, fetch: Callable[[IO[bytes]], object]) -> Iterator[Path]:
        """Give the copy of an object, which `fetch` writes to a file when there is none yet.

        It is given under a name of its own: when the cache drops the copy meanwhile, this one stays.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self._folder / key.replace("/", "!")  # which no key contains
        own = self._folder / f".own-{uuid.uuid4().hex}"
        try:
            self._link(kept, own, fetch)
            yield own
        finally:
            own.unlink(missing_ok=True)

    def _link(self, kept: Path, own: Path, fetch: Callable[[IO[bytes]], object]) -> None:
        try:
            os.link(kept, own)
        except FileNotFoundError:
            with raises_storage_full(), tempfile.NamedTemporaryFile(dir=self._folder, prefix=".new-") as draft:
                fetch(draft)
                draft.flush()
                os.link(draft.name, own)
            # Whole on the disk before it has the name by which others find it, also after a power cut.
            flush(own)
            twin = own.with_suffix(".twin")
            os.link(own, twin)
            twin.replace(kept)
            self._drop_oldest()
        else:
            os.utime(own)  # used now, and so the last to be dropped

    def _drop_oldest(self) -> None:
        kept = [path for path in children(self._folder) if not path.name.startswith(".")]
        states = sorted(((path.stat(), path) for path in kept), key=lambda item: item[0].st_mtime, reverse=True)
        total = 0
        for state, path in states:
            total += state.st_size
            if total > self._limit_bytes:
                path.unlink(missing_ok=True)
