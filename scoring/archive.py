"""Reading a zip that a stranger sent, in place: bounds before anything is inflated, nothing written to disk."""

from __future__ import annotations

import os
import stat
import struct
import threading
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from scoring.inflate import DamagedStream, crc32, inflate
from scoring.local_headers import LocalHeaderError, NoLocalHeaderError, Span, overlap, read_span
from scoring.problems import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_MIB = 1 << 20
# A directory record takes 46 bytes, the name and zip programs' extra fields; longer ones count as more entries.
_DIRECTORY_BYTES_PER_ENTRY = 300
_LOCAL_FILE_SIGNATURE = b"PK\x03\x04"
_LOCAL_HEADER_BYTES = 30
# Encrypted, strongly encrypted, directory encrypted.
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_PATCHED_FLAG = 0x20


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold; sizes are those it announces, which are also where inflation stops.

    ``max_ratio`` (unpacked to packed size) only counts for entries above ``ratio_from_bytes``: a small image of
    one level is packed a thousand times smaller and harms nobody.
    """

    max_entries: int = 10_000
    max_entry_bytes: int = 64 * _MIB
    max_total_bytes: int = 4096 * _MIB
    max_ratio: float = 100.0
    ratio_from_bytes: int = 8 * _MIB

    @property
    def max_directory_bytes(self) -> int:
        """How long the table of contents may be."""
        return self.max_entries * _DIRECTORY_BYTES_PER_ENTRY


DEFAULT_LIMITS = Limits()


class ArchiveError(Exception):
    """The archive, or an entry of it, cannot be read, and it is the archive's fault."""

    def __init__(self, found: Problem) -> None:
        self.problem = found
        super().__init__(f"{found.code}: {found.message}")


class _OutsideFile(OSError):
    """A position in the archive's directory lies outside the file."""


class _ReadTooLarge(Exception):
    """One read asks for more than any honest archive needs."""


# Exceptions of zipfile for a damaged directory. A plain OSError is the disk's fault and not among them.
_DAMAGE = (
    zipfile.BadZipFile,
    NotImplementedError,  # a newer version of the format
    ValueError,  # names that are not UTF-8, too
    OverflowError,
    struct.error,
    _OutsideFile,
)


@dataclass(frozen=True)
class Entry:
    """One file in the archive, as its directory announces it."""

    path: str
    size_bytes: int
    packed_bytes: int
    info: zipfile.ZipInfo

    @property
    def is_encrypted(self) -> bool:
        return bool(self.info.flag_bits & _ENCRYPTED_FLAGS)

    @property
    def is_supported(self) -> bool:
        known_method = self.info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        return known_method and not self.info.flag_bits & _PATCHED_FLAG

    @property
    def is_special(self) -> bool:
        """A link, a device, a pipe: anything that is marked as other than a file or a folder."""
        kind = stat.S_IFMT(self.info.external_attr >> 16)
        return kind not in (0, stat.S_IFREG, stat.S_IFDIR)

    @property
    def is_unsafe(self) -> bool:
        """A path that could lead outside the folder it is unpacked to, on any system."""
        raw = self.info.orig_filename
        has_drive = len(raw) > 1 and raw[1] == ":"
        return raw.startswith("/") or has_drive or ".." in raw.split("/") or "\\" in raw or "\0" in raw

    @property
    def is_folder(self) -> bool:
        return self.path.endswith("/")

    @property
    def folder(self) -> str:
        """Path of the folder that holds it; empty at the top."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class ZipArchive:
    """A zip opened for reading only; a context manager.

    Parameters
    ----------
    source
        A path, or a binary file that can seek (it is left open).
    name
        The archive's name in messages.

    Raises
    ------
    ArchiveError
        It is no zip that can be read at all, or its directory is larger than ``limits`` allow.
    OSError
        The file itself cannot be read: not the archive's fault.
    """

    def __init__(self, source: Path | BinaryIO, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> None:
        self.limits = limits
        self.name = name
        with ExitStack() as on_failure:
            if isinstance(source, Path):
                source = on_failure.enter_context(source.open("rb"))
            self._file = _GuardedFile(source, limits.max_directory_bytes)
            self.entries = self._read_directory()
            self._owned = on_failure.pop_all()

    def __enter__(self) -> ZipArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file if it was opened here."""
        self._owned.close()

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def fault(self, code: str, **values: object) -> Problem:
        """Return a problem of the archive as a whole."""
        return problem(code, file=self.name, **values)

    def bounds_exceeded(self) -> list[Problem]:
        """Return the limits that the directory exceeds; nothing may be inflated unless this is empty."""
        found = []
        limits = self.limits
        if sum(entry.packed_bytes for entry in self.entries) > self.size_bytes:
            found.append(self.fault("overlapping-entries"))
        total = sum(entry.size_bytes for entry in self.entries)
        if total > limits.max_total_bytes:
            found.append(self.fault("total-too-large", size_bytes=total, limit_bytes=limits.max_total_bytes))
        for entry in self.entries:
            if entry.size_bytes > limits.max_entry_bytes:
                found.append(self._too_large(entry))
            elif entry.size_bytes > max(limits.ratio_from_bytes, limits.max_ratio * entry.packed_bytes):
                found.append(problem("compression-ratio", file=entry.path, limit=f"{limits.max_ratio:g}"))
        return found

    def header_faults(self) -> list[Problem]:
        """Return the places where the entries differ from the table of contents; nothing is inflated.

        An entry that is encrypted or packed in an unknown way is passed over, as it is refused anyhow.
        """
        found: list[Problem] = []
        spans: list[Span] = []
        for entry in self.entries:
            if entry.is_encrypted or not entry.is_supported:
                continue
            try:
                spans.append(read_span(entry.info, self._file.read_at))
            except NoLocalHeaderError:
                found.append(problem("entry-damaged", file=entry.path))
            except LocalHeaderError as error:
                found.append(problem("entry-contradicted", file=entry.path, what=str(error)))
        if overlap([*spans, Span(self._directory_at, self._directory_at, self.size_bytes)]):
            found.append(self.fault("overlapping-entries"))
        return found

    def read_start(self, entry: Entry, size_bytes: int) -> bytes:
        """Return the first bytes of an entry, inflating no more than them; its checksum is not verified.

        Raises
        ------
        ArchiveError
            ``entry-damaged``.
        """
        return self._read(entry, min(size_bytes, entry.size_bytes))

    def read(self, entry: Entry) -> bytes:
        """Return all bytes of an entry, exactly as many as announced, with the checksum verified.

        Raises
        ------
        ArchiveError
            ``entry-too-large``, ``entry-damaged`` or ``crc-mismatch``.
        """
        if entry.size_bytes > self.limits.max_entry_bytes:
            raise ArchiveError(self._too_large(entry))
        # One more byte would show that the entry is longer than it announces.
        data = self._read(entry, entry.size_bytes + 1)
        if len(data) != entry.size_bytes:
            raise ArchiveError(problem("entry-damaged", file=entry.path))
        if crc32(data) != entry.info.CRC:
            raise ArchiveError(problem("crc-mismatch", file=entry.path))
        return data

    def _too_large(self, entry: Entry) -> Problem:
        limit_bytes = self.limits.max_entry_bytes
        return problem("entry-too-large", file=entry.path, size_bytes=entry.size_bytes, limit_bytes=limit_bytes)

    def _read_directory(self) -> tuple[Entry, ...]:
        """Return the directory by way of zipfile, which never sees more of the file than the guard lets it."""
        if self.size_bytes == 0:
            raise ArchiveError(self.fault("archive-empty"))
        try:
            if not zipfile.is_zipfile(self._file):
                self._file.seek(0)
                cut_short = self._file.read(len(_LOCAL_FILE_SIGNATURE)) == _LOCAL_FILE_SIGNATURE
                raise ArchiveError(self.fault("archive-truncated" if cut_short else "archive-not-zip"))
            opened = zipfile.ZipFile(self._file)
            infos = opened.infolist()
            self._directory_at = opened.start_dir
        except _ReadTooLarge:
            infos = []
            too_many = True
        except _DAMAGE as error:
            raise ArchiveError(self.fault("archive-damaged")) from error
        else:
            too_many = len(infos) > self.limits.max_entries
        if too_many:
            raise ArchiveError(self.fault("too-many-entries", limit=self.limits.max_entries))
        return tuple(Entry(info.filename, info.file_size, info.compress_size, info) for info in infos)

    def _read(self, entry: Entry, size_bytes: int) -> bytes:
        """Return up to so many unpacked bytes of an entry: fewer where it ends before."""
        try:
            read = self._file.reader(self._packed_at(entry))
            if entry.info.compress_type == zipfile.ZIP_STORED:
                return read(min(size_bytes, entry.packed_bytes))
            return inflate(read, entry.packed_bytes, size_bytes)
        except (EOFError, DamagedStream) as error:
            raise ArchiveError(problem("entry-damaged", file=entry.path)) from error

    def _packed_at(self, entry: Entry) -> int:
        """Return the position of the first packed byte: behind the entry's own header, read for its lengths alone."""
        header_at = entry.info.header_offset
        header = self._file.reader(header_at)(_LOCAL_HEADER_BYTES)
        if not header.startswith(_LOCAL_FILE_SIGNATURE):
            raise EOFError("no entry begins here")
        name_bytes, extra_bytes = struct.unpack("<HH", header[-4:])
        return header_at + _LOCAL_HEADER_BYTES + int(name_bytes) + int(extra_bytes)


class _GuardedFile:
    """A file as zipfile may see it: no seek outside, and no read of more than ``max_read_bytes`` at once.

    Several threads may use :meth:`read_at` and :meth:`reader` at the same time.
    """

    def __init__(self, stream: BinaryIO, max_read_bytes: int) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.size_bytes = stream.seek(0, os.SEEK_END)
        # zipfile looks for the end record in the last 65,557 bytes, and knows no limit.
        self._max_read_bytes = max(max_read_bytes, 1 << 17)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._stream.tell(), os.SEEK_END: self.size_bytes}[whence]
        if not 0 <= start + offset <= self.size_bytes:
            raise _OutsideFile(f"position {start + offset} of {self.size_bytes}")
        return self._stream.seek(start + offset)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size_bytes: int = -1) -> bytes:
        left = self.size_bytes - self._stream.tell()
        wanted = left if size_bytes < 0 else min(size_bytes, left)
        if wanted > self._max_read_bytes:
            raise _ReadTooLarge(f"{wanted} bytes")
        return self._stream.read(wanted)

    def read_at(self, position: int, size_bytes: int) -> bytes:
        """Return up to so many bytes at a position: fewer at the end of the file, none outside."""
        if not 0 <= position <= self.size_bytes:
            return b""
        with self._lock:
            self._stream.seek(position)
            return self._stream.read(size_bytes)

    def reader(self, position: int) -> Callable[[int], bytes]:
        """Read on from a position as many bytes as asked for; EOFError where the file ends before."""

        def read(size_bytes: int) -> bytes:
            nonlocal position
            data = self.read_at(position, size_bytes)
            if len(data) < size_bytes:
                raise EOFError(f"{len(data)} of {size_bytes} bytes")
            position += size_bytes
            return data

        return read
