"""The parts of one object on their way to the local disk.

A folder holds `content`, into which each part is copied at its place once it has arrived whole, and an empty file for
each such part, whose name says its number, size and hash. A part that was cut short has no such file. To complete the
object is then a rename, however large it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import uuid
from typing import TYPE_CHECKING, BinaryIO

from bayerboard.lib.storage.files import flush, make_folder, raises_storage_full
from bayerboard.lib.storage.interface import Part, PartsGone, WrongPartSize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CONTENT, LOCK, PART_SIZE = "content", "lock", "part-size"
ARRIVED = re.compile(r"(\d{5})-(\d+)-([0-9a-f]{32})")
COPY_BYTES = 2**20


class PartsFolder:
    """The folder of one object; shared by the threads, processes and machines that take its parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def make(cls, parent: Path, part_size_bytes: int) -> PartsFolder:
        """Make an empty one under a name that nobody can guess."""
        folder = parent / uuid.uuid4().hex
        with raises_storage_full():
            make_folder(folder)
            (folder / PART_SIZE).write_text(str(part_size_bytes))
            (folder / LOCK).touch(mode=0o600)
            (folder / CONTENT).touch(mode=0o600)
            flush(folder)
        return cls(folder)

    @property
    def name(self) -> str:
        return self._folder.name

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from changing the content; PartsGone when there is none any more."""
        with translate_missing(), (self._folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.content()
            yield

    def content(self) -> Path:
        """Return the file of all parts; PartsGone when it was completed or aborted."""
        content = self._folder / CONTENT
        if not content.is_file():
            raise PartsGone(self.name)
        return content

    def list(self) -> list[Part]:
        """Return the parts that are there whole."""
        with translate_missing():
            self.content()
            return sorted((part for part, _ in self._arrived()), key=lambda part: part.number)

    def _arrived(self) -> Iterator[tuple[Part, Path]]:
        for path in self._folder.iterdir():
            found = ARRIVED.fullmatch(path.name)
            if found:
                yield Part(int(found[1]), int(found[2]), f'"{found[3]}"'), path

    def write(self, number: int, size_bytes: int, chunks: Iterable[bytes]) -> Part:
        """Take a part in beside the content, then copy it to its place: nobody waits for a slow sender."""
        with translate_missing(), raises_storage_full(), tempfile.TemporaryFile(dir=self._folder) as draft:
            digest = _receive(draft, size_bytes, chunks)
            with self.locked():
                return self._place(draft, Part(number, size_bytes, f'"{digest}"'))

    def _place(self, draft: BinaryIO, part: Part) -> Part:
        earlier = [path for other, path in self._arrived() if other.number == part.number]
        for path in earlier:
            path.unlink()
        if earlier:
            flush(self._folder)  # before its bytes change: a power cut must not bring the old promise back
        offset = (part.number - 1) * int((self._folder / PART_SIZE).read_text())
        draft.seek(0)
        with self.content().open("r+b") as content:
            content.seek(offset)
            shutil.copyfileobj(draft, content, COPY_BYTES)
            content.flush()
            os.fsync(content.fileno())
        (self._folder / f"{part.number:05}-{part.size_bytes}-{part.etag.strip(chr(34))}").touch(mode=0o600)
        flush(self._folder)
        return part

    def remove(self) -> None:
        """Remove everything; what is written at the same moment is left for the sweep."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _receive(draft: BinaryIO, size_bytes: int, chunks: Iterable[bytes]) -> str:
    """Write the chunks, and return their MD5: what S3 calls the ETag of a part."""
    digest, received = hashlib.md5(usedforsecurity=False), 0
    for chunk in chunks:
        received += len(chunk)
        if received > size_bytes:
            raise WrongPartSize(received, size_bytes)
        digest.update(chunk)
        draft.write(chunk)
    if received != size_bytes:
        raise WrongPartSize(received, size_bytes)
    draft.flush()
    return digest.hexdigest()


@contextlib.contextmanager
def translate_missing() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PartsGone(str(error.filename)) from error
