"""Reference sets: the hidden ground truth of a phase, in a folder or a zip of images."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from scoring.archive import ArchiveError, Limits, ZipArchive
from scoring.canonical import sha256_of_json
from scoring.images import Decoded, decode, read_header
from scoring.manifest import FileSpec, Manifest, ManifestError, natural_key
from scoring.naming import is_junk
from scoring.npy import PREFIX_BYTES
from scoring.problems import ReferenceInvalid
from scoring.shapes import fits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from scoring.protocol import Protocol

# An organiser's own file: bounded only so that a mistake is found before the memory is full.
_LIMITS = Limits(max_entries=1_000_000, max_total_bytes=1 << 42, max_ratio=float("inf"))
# Which image belongs to which subset, where the names do not tell: {"image": "subset"}.
SUBSETS_FILE = "subsets.json"
# A reference may come in the other kind of picture: one is compressed without loss.
_PICTURES = ("png", "jpg")


class Reference:
    """A reference set opened for reading; a context manager. Made by :meth:`open`."""

    def __init__(self, source: _Folder | _Zip, protocol: Protocol) -> None:
        self._source = source
        self._protocol = protocol
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._subsets: dict[str, str | None] = {}
        self.names: tuple[str, ...] = tuple(sorted(source.stems(), key=natural_key))

    @classmethod
    def open(cls, path: Path, protocol: Protocol) -> Reference:
        """Open a folder or a zip of images and check every file's header against the protocol.

        Raises
        ------
        ReferenceInvalid
            The path does not exist, is neither a folder nor a zip, holds no image or one twice, or a file that
            does not match the protocol; or an image belongs to none of the protocol's subsets, or a subset has none.
        """
        containers = _PICTURES if protocol.container in _PICTURES else (protocol.container,)
        if path.is_dir():
            source: _Folder | _Zip = _Folder(path, containers)
        elif path.is_file():
            source = _Zip(path, containers)
        else:
            raise ReferenceInvalid(f"{path}: there is no such folder or zip")
        with ExitStack() as on_failure:
            on_failure.callback(source.close)
            reference = cls(source, protocol)
            reference._check_headers()
            reference._sort_into_subsets()
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

    def load(self, name: str) -> NDArray[Any]:
        """Return one reference image: the protocol's shape and dtype, C order.

        Raises
        ------
        KeyError
            No image has this name.
        ReferenceInvalid
            The file is damaged, or holds a value above the protocol's ``max_value`` or its own ``max_val``.
        """
        return self.decode(name).pixels

    def decode(self, name: str) -> Decoded:
        """Return an image like :meth:`load`, with the level that the file says is white."""
        data = self._source.read(name)
        file = self._source.file_name(name)
        spec = FileSpec(name, self._shapes[name], self._protocol.dtype, _container(file))
        with self._faults():
            decoded = decode(data, spec, self._protocol, file=file, limits=_LIMITS)
        limit = self._protocol.largest_value(decoded.max_val)
        if int(decoded.pixels.max()) > limit:
            raise ReferenceInvalid(f"{self._source.path}: {file}: has a value above {limit}")
        return decoded

    def file(self, name: str) -> tuple[str, bytes]:
        """Return the name and the bytes of an image's file; KeyError when no image has this name."""
        return self._source.file_name(name), self._source.read(name)

    def manifest(self) -> Manifest:
        """Return the public manifest: nothing of the references' content."""
        return Manifest.for_names(self.names, self._protocol, self._shapes)

    def private_manifest(self) -> list[dict[str, Any]]:
        """Describe each image: name, shape, dtype, sha256, and group where the protocol has a pattern.

        Also subset where the protocol has some, and max_val where the files have it. The hash is of the values in C
        order and little-endian, so that it does not depend on how the file was written; group is None for a name that
        the pattern does not fit.
        """
        return [self._describe(name) for name in self.names]

    def fingerprint(self) -> str:
        """Return a digest that changes with any image: of sizes with checksums, or with times in a folder."""
        return sha256_of_json([[name, *self._source.identity(name)] for name in self.names])

    def private_info(self) -> Mapping[str, Mapping[str, Any]]:
        """Return every image's data for :func:`scoring.columns.aggregate`: its subset, if the protocol has some."""
        return {name: {"subset": subset} for name, subset in self._subsets.items()}

    def _describe(self, name: str) -> dict[str, Any]:
        decoded = self.decode(name)
        array = decoded.pixels
        pixels = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(order="C")
        described: dict[str, Any] = {
            "name": name,
            "shape": list(array.shape),
            "dtype": array.dtype.name,
            "sha256": hashlib.sha256(pixels).hexdigest(),
        }
        if self._protocol.group_pattern is not None:
            described["group"] = self._protocol.group_of(name)
        if self._protocol.subsets:
            described["subset"] = self._subsets[name]
        if decoded.max_val is not None:
            described["max_val"] = decoded.max_val
        return described

    def _check_headers(self) -> None:
        try:
            Manifest.for_names(self.names, self._protocol)
        except ManifestError as error:
            raise ReferenceInvalid(f"{self._source.path}: {error}") from error
        for name in self.names:
            file = self._source.file_name(name)
            with self._faults():
                shape, dtype = read_header(self._source.read_start(name), _container(file), file=file, limits=_LIMITS)
            if dtype != self._protocol.dtype or not self._has_right_shape(shape):
                found = f"{dtype} of shape {shape}"
                wanted = self._protocol.array_label
                raise ReferenceInvalid(f"{self._source.path}: {file}: is {found}, not {wanted}")
            self._shapes[name] = shape

    def _has_right_shape(self, shape: tuple[int, ...]) -> bool:
        return fits(shape, self._protocol.shape) and min(shape[:2]) >= self._protocol.least_side_px

    def _sort_into_subsets(self) -> None:
        """Say of every image which subset it is of, from the file of subsets or from its name."""
        subsets = self._protocol.subsets
        if not subsets:
            return
        told = self._read_subsets()
        for name in self.names:
            subset = told.get(name, self._protocol.subset_of(name))
            if subset not in subsets:
                known = ", ".join(subsets)
                raise ReferenceInvalid(f"{self._source.path}: {name}: is of no subset of the protocol ({known})")
            self._subsets[name] = subset
        for subset in subsets:
            if subset not in self._subsets.values():
                raise ReferenceInvalid(f"{self._source.path}: no image is of the subset {subset}")

    def _read_subsets(self) -> dict[str, Any]:
        data = self._source.read_extra(SUBSETS_FILE)
        if data is None:
            return {}
        try:
            told = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ReferenceInvalid(f"{self._source.path}: {SUBSETS_FILE}: not JSON: {error}") from error
        if not isinstance(told, dict):
            raise ReferenceInvalid(f"{self._source.path}: {SUBSETS_FILE}: must be an object of names and subsets")
        return told

    @contextmanager
    def _faults(self) -> Iterator[None]:
        with _faults_of(self._source.path):
            yield


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    try:
        yield
    except ArchiveError as error:
        raise ReferenceInvalid(f"{path}: {error}") from error


def _container(file_name: str) -> str:
    return PurePosixPath(file_name).suffix.removeprefix(".")


class _Folder:
    """The images that lie directly in a folder."""

    def __init__(self, path: Path, containers: tuple[str, ...]) -> None:
        self.path = path
        self._files = [
            file
            for file in path.iterdir()
            if file.suffix.removeprefix(".") in containers and file.is_file() and not is_junk(file.name)
        ]
        self._by_stem = {file.stem: file for file in self._files}

    def stems(self) -> list[str]:
        # With its repetitions, which the check of the manifest finds: a .png and a .jpg of one name.
        return [file.stem for file in self._files]

    def file_name(self, stem: str) -> str:
        return self._by_stem[stem].name

    def identity(self, stem: str) -> tuple[int, ...]:
        status = self._by_stem[stem].stat()
        return status.st_size, status.st_mtime_ns

    def read_start(self, stem: str) -> bytes:
        """Return as much of a file as its header needs: all of one whose header may stand anywhere."""
        path = self._by_stem[stem]
        with path.open("rb") as file:
            return file.read(PREFIX_BYTES if path.suffix == ".npy" else -1)

    def read(self, stem: str) -> bytes:
        return self._by_stem[stem].read_bytes()

    def read_extra(self, name: str) -> bytes | None:
        path = self.path / name
        return path.read_bytes() if path.is_file() else None

    def close(self) -> None:
        """Close all open files."""


class _Zip:
    """The images of a zip, in any folders."""

    def __init__(self, path: Path, containers: tuple[str, ...]) -> None:
        self.path = path
        with _faults_of(path):
            self._archive = ZipArchive(path, limits=_LIMITS, name=path.name)
        self._images = [
            entry for entry in self._archive.entries if _container(entry.name) in containers and not is_junk(entry.path)
        ]
        self._by_stem = {PurePosixPath(entry.name).stem: entry for entry in self._images}

    def stems(self) -> list[str]:
        # With its repetitions, which the check of the manifest finds.
        return [PurePosixPath(entry.name).stem for entry in self._images]

    def file_name(self, stem: str) -> str:
        return self._by_stem[stem].name

    def identity(self, stem: str) -> tuple[int, ...]:
        entry = self._by_stem[stem]
        return entry.size_bytes, entry.packed_bytes, entry.info.CRC

    def read_start(self, stem: str) -> bytes:
        entry = self._by_stem[stem]
        if not entry.name.endswith(".npy"):
            return self.read(stem)
        with _faults_of(self.path):
            return self._archive.read_start(entry, PREFIX_BYTES)

    def read(self, stem: str) -> bytes:
        with _faults_of(self.path):
            return self._archive.read(self._by_stem[stem])

    def read_extra(self, name: str) -> bytes | None:
        entry = next((entry for entry in self._archive.entries if entry.name == name and not is_junk(entry.path)), None)
        if entry is None:
            return None
        with _faults_of(self.path):
            return self._archive.read(entry)

    def close(self) -> None:
        self._archive.close()
