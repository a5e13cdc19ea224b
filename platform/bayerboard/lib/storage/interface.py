"""The interface of every store, and its errors."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")


class InvalidKey(ValueError):
    """A key that is not lower-case path segments; keys are made by the site, never by a participant."""


class StorageUnavailable(Exception):
    """The storage does not answer: our failure, which passes. What was acknowledged is still there."""


class StorageFull(StorageUnavailable):
    """The storage has no room left; nothing half-written remains."""


class PartsGone(Exception):
    """The parts are not there any more: they were completed or aborted."""


class WrongPartSize(Exception):
    """A part is shorter or longer than it was announced."""

    def __init__(self, received_bytes: int, size_bytes: int) -> None:
        super().__init__(f"{received_bytes} of {size_bytes} bytes")
        self.received_bytes = received_bytes
        self.size_bytes = size_bytes


@dataclass(frozen=True)
class Part:
    """A part that has arrived whole."""

    number: int
    size_bytes: int
    etag: str

    def matches(self, etag: str) -> bool:
        """Compare with what a browser read in the ETag header, quotes or none."""
        return self.etag.strip('"') == etag.strip('"')


@dataclass(frozen=True)
class StoredObject:
    """An object as a list of the storage shows it."""

    key: str
    size_bytes: int
    modified_at: datetime


def check_key(key: str) -> str:
    """Return the key, or raise InvalidKey."""
    if not KEY.fullmatch(key) or ".." in key:
        raise InvalidKey(key)
    return key


class ObjectStore(ABC):
    """Immutable objects under keys such as `archives/3f…e1.zip`; a key is written once and never changed.

    Every method may raise StorageUnavailable.
    """

    # --- Whole objects ---

    @abstractmethod
    def put(self, key: str, source: Path) -> None:
        """Take the file over under `key`, whole and durable before this returns; `source` may be moved."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Open for reading and seeking; FileNotFoundError when there is none."""

    @abstractmethod
    def local_copy(self, key: str, on_chunk: Callable[[], object] | None = None) -> AbstractContextManager[Path]:
        """Give the object as a file on this machine's disk, for as long as the `with` block lasts.

        `on_chunk` is called as bytes arrive: a sign of progress for whoever holds a lease.
        """

    @abstractmethod
    def size_bytes(self, key: str) -> int:
        """Return the size; FileNotFoundError when there is none."""

    @abstractmethod
    def exists(self, key: str) -> bool: ...

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the object; no error when there is none."""

    @abstractmethod
    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Give the objects whose keys begin with `prefix`, a folder that ends with a slash."""

    @abstractmethod
    def download_url(self, key: str, filename: str, content_type: str) -> str | None:
        """Return a short-lived address of the object for a browser; None where the site itself has to send it."""

    # --- Objects that arrive in parts, in any order ---

    @abstractmethod
    def open_parts(self, key: str, size_bytes: int, part_size_bytes: int) -> str:
        """Make room for an object of this size; return what names its parts until they are completed or aborted."""

    @abstractmethod
    def part_url(self, key: str, parts_id: str, number: int, size_bytes: int, expires_s: int) -> str | None:
        """Return an address to PUT a part to; None where the site itself has to take it."""

    @abstractmethod
    def list_parts(self, key: str, parts_id: str) -> list[Part]:
        """Return the parts that have arrived, by number; PartsGone when there are none to come any more."""

    @abstractmethod
    def complete_parts(self, key: str, parts_id: str, parts: Sequence[Part]) -> None:
        """Make the object of its parts, whole and durable before this returns; PartsGone as for `list_parts`."""

    @abstractmethod
    def abort_parts(self, key: str, parts_id: str) -> None:
        """Forget the parts; no error when there are none."""

    @abstractmethod
    def clear_leftovers(self, before: datetime, keep: Collection[str]) -> int:
        """Remove what was begun before then and never became an object, but no parts in `keep`; count it."""
