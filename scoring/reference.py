"""Reference sets: the hidden ground truth of a phase, in a folder or a zip of .npy files."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from scoring.archive import ArchiveError, Limits, ZipArchive
from scoring.manifest import Manifest, ManifestError, natural_key
from scoring.naming import IMAGE_SUFFIX, is_junk
from scoring.npy import PREFIX_BYTES, NpyError, decode_array, parse_header
from scoring.problems import ReferenceInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from scoring.protocol import Protocol

# An organiser's own file: bounded only so that a mistake is found before the memory is full.
_LIMITS = Limits(max_entries=1_000_000, max_total_bytes=1 << 42, max_ratio=float("inf"))


class Reference:
    """A reference set opened for reading; a context manager. Made by :meth:`open`."""

    def __init__(self, source: _Folder | _Zip, protocol: Protocol) -> None:
        self._source = source
        self._protocol = protocol
        self.names: tuple[str, ...] = tuple(sorted(source.stems(), key=natural_key))

    @classmethod
    def open(cls, path: Path, protocol: Protocol) -> Reference:
        """Open a folder or a zip of .npy files and check every file's header against the protocol.

        Raises
        ------
        ReferenceInvalid
            The path does not exist, is neither a folder nor a zip, holds no image or one twice, or a file that
            is not what the protocol says.
        """
        if path.is_dir():
            source: _Folder | _Zip = _Folder(path)
        elif path.is_file():
            source = _Zip(path)
        else:
            raise ReferenceInvalid(f"{path}: there is no such folder or zip")
        with ExitStack() as on_failure:
            on_failure.callback(source.close)
            reference = cls(source, protocol)
            reference._check_headers()
            on_failure.pop_all()
        return reference

    def __enter__(self) -> Reference:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()

    def load(self, name: str) -> NDArray[np.uint16]:
        """One reference image: the protocol's shape, uint16, C order.

        Raises
        ------
        KeyError
            No image has this name.
        ReferenceInvalid
            The file is damaged, or holds a value above the protocol's ``max_value``.
        """
        data = self._source.read(name)
        try:
            array: NDArray[np.uint16] = decode_array(data, parse_header(data[:PREFIX_BYTES]))
        except NpyError as error:
            raise ReferenceInvalid(f"{self._source.path}: {name}.npy: {error}") from error
        if int(array.max()) > self._protocol.max_value:
            limit = self._protocol.max_value
            raise ReferenceInvalid(f"{self._source.path}: {name}.npy: has a value above {limit}")
        return array

    def manifest(self) -> Manifest:
        """What a submission must look like; nothing of the references' content."""
        return Manifest.for_names(self.names, self._protocol)

    def private_manifest(self) -> list[dict[str, Any]]:
        """What identifies every image: name, shape, dtype, sha256, and group where the protocol has a pattern.

        The hash is of the values in C order and little-endian, so that it does not depend on how the file was
        written; group is None for a name that the pattern does not fit.
        """
        return [self._describe(name) for name in self.names]

    def _describe(self, name: str) -> dict[str, Any]:
        array = self.load(name)
        pixels = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(order="C")
        described: dict[str, Any] = {
            "name": name,
            "shape": list(array.shape),
            "dtype": array.dtype.name,
            "sha256": hashlib.sha256(pixels).hexdigest(),
        }
        if self._protocol.group_pattern is not None:
            described["group"] = self._protocol.group_of(name)
        return described

    def _check_headers(self) -> None:
        try:
            self.manifest()
        except ManifestError as error:
            raise ReferenceInvalid(f"{self._source.path}: {error}") from error
        expected = (self._protocol.shape, self._protocol.dtype)
        for name in self.names:
            try:
                header = parse_header(self._source.read_start(name))
            except NpyError as error:
                raise ReferenceInvalid(f"{self._source.path}: {name}.npy: {error}") from error
            if (header.shape, header.dtype_name) != expected:
                found = f"{header.dtype_name} of shape {header.shape}"
                wanted = self._protocol.array_label
                raise ReferenceInvalid(f"{self._source.path}: {name}.npy: is {found}, not {wanted}")


class _Folder:
    """The .npy files that lie directly in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = {
            file.stem: file
            for file in path.iterdir()
            if file.suffix == IMAGE_SUFFIX and file.is_file() and not is_junk(file.name)
        }

    def stems(self) -> list[str]:
        return list(self._files)

    def read_start(self, stem: str) -> bytes:
        with self._files[stem].open("rb") as file:
            return file.read(PREFIX_BYTES)

    def read(self, stem: str) -> bytes:
        return self._files[stem].read_bytes()

    def close(self) -> None:
        """Nothing stays open."""


class _Zip:
    """The .npy files of a zip, in whatever folders they lie."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._faults():
            self._archive = ZipArchive(path, limits=_LIMITS, name=path.name)
        self._entries = [
            (entry.name.removesuffix(IMAGE_SUFFIX), entry)
            for entry in self._archive.entries
            if entry.name.endswith(IMAGE_SUFFIX) and not is_junk(entry.path)
        ]
        self._by_stem = dict(self._entries)

    def stems(self) -> list[str]:
        # With its repetitions, which the check of the manifest finds.
        return [stem for stem, _ in self._entries]

    def read_start(self, stem: str) -> bytes:
        with self._faults():
            return self._archive.read_start(self._by_stem[stem], PREFIX_BYTES)

    def read(self, stem: str) -> bytes:
        with self._faults():
            return self._archive.read(self._by_stem[stem])

    def close(self) -> None:
        self._archive.close()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except ArchiveError as error:
            raise ReferenceInvalid(f"{self.path}: {error}") from error
