"""The public manifest: the form of a submission, without anything about the references' content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoring.canonical import sha256_of_json
from scoring.protocol_parts import CONTAINERS
from scoring.table import Table, TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scoring.protocol import Protocol

_DIGITS = re.compile(r"([0-9]+)")


class ManifestError(TableError):
    """A manifest's data is wrong; the message names the file and the key."""


def natural_key(name: str) -> tuple[tuple[int, int, str, str], ...]:
    """Return a sort key that reads numbers as numbers: 6_2 before 6_10; equal only for equal names."""
    return tuple(_part_key(part) for part in _DIGITS.split(name))


def _part_key(part: str) -> tuple[int, int, str, str]:
    if not _DIGITS.fullmatch(part):
        return 0, 0, part, ""
    # Length and digits order as the number does, however long it is; the text itself tells 1 from 01.
    digits = part.lstrip("0")
    return 1, len(digits), digits, part


@dataclass(frozen=True)
class FileSpec:
    """One image of a submission: the stem of its file name, and the array that the file must hold.

    Height and width are 0 where the public manifest does not tell them, since every image has those of its reference.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    container: str = "npy"

    @property
    def suffix(self) -> str:
        """How the file's name ends."""
        return f".{self.container}"

    def to_json(self) -> dict[str, Any]:
        data = {"name": self.name, "shape": list(self.shape), "dtype": self.dtype}
        return data if self.container == "npy" else {**data, "container": self.container}


@dataclass(frozen=True)
class Manifest:
    """All images of a submission, in natural order of their names."""

    files: tuple[FileSpec, ...]

    @classmethod
    def for_names(
        cls, names: Iterable[str], protocol: Protocol, shapes: Mapping[str, tuple[int, ...]] | None = None
    ) -> Manifest:
        """Return the manifest of a phase whose input images have these stems.

        Parameters
        ----------
        shapes
            The shape of every image, where the protocol leaves it open and it is known.

        Raises
        ------
        ManifestError
            No name, a name twice, or a name that cannot be a file's.
        """
        known = shapes or {}
        files = [FileSpec(name, known.get(name, protocol.shape), protocol.dtype, protocol.container) for name in names]
        return cls._checked(files, "manifest")

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON."""
        return sha256_of_json(self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {"files": [file.to_json() for file in self.files]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, source: str = "manifest") -> Manifest:
        """Read data of :meth:`to_json`; ManifestError names ``source`` and the key that is wrong."""
        table = Table(data, source, ManifestError)
        table.refuse_unknown({"files"})
        files = []
        for row in table.rows("files"):
            row.refuse_unknown({"name", "shape", "dtype", "container"})
            shape = row.shape("shape", dimensions=3, may_be_open=True)
            container = row.choice("container", tuple(CONTAINERS)) if "container" in row.data else "npy"
            files.append(FileSpec(row.text("name"), shape, row.choice("dtype", (CONTAINERS[container],)), container))
        return cls._checked(files, source)

    @classmethod
    def _checked(cls, files: list[FileSpec], source: str) -> Manifest:
        if not files:
            raise ManifestError(f"{source}: files: must not be empty")
        seen: set[str] = set()
        for file in files:
            if not file.name.isprintable() or file.name in {"", ".", ".."} or set(file.name) & set("/\\"):
                raise ManifestError(f"{source}: files: {file.name!r} cannot be the name of an image")
            if file.name in seen:
                raise ManifestError(f"{source}: files: {file.name!r} is named twice")
            seen.add(file.name)
        return cls(tuple(sorted(files, key=lambda file: natural_key(file.name))))
