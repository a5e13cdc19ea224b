"""The manifest of a backup: written last, so that a backup with a manifest is a whole one."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from django.core.management.base import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1
CHUNK_BYTES = 2**20
MANIFEST = "manifest.json"


class BackupError(CommandError):
    """A backup cannot be made or restored; the message says why and what to do."""


@dataclass(frozen=True)
class Stored:
    """A file of a backup: of the database, by its path in the backup; or an object, by its key."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All of it: compare with this, and nothing can be missing unseen."""

    bayerboard: str
    made_at: str
    engine: str
    engine_version: str
    migrations: list[list[str]]
    # Rows by table.
    counts: dict[str, int]
    database: list[Stored]
    objects: list[Stored]
    # What the database names and the storage did not have.
    missing: list[str] = field(default_factory=list)
    format: int = FORMAT

    @property
    def size_bytes(self) -> int:
        return sum(item.size_bytes for item in (*self.database, *self.objects))

    def write(self, folder: Path) -> None:
        """Write it whole or not at all."""
        draft = folder / f".{MANIFEST}"
        with draft.open("w") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / MANIFEST)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a backup's manifest; BackupError where it is none that this version knows."""
        try:
            data: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
            lists = {name: [Stored(**item) for item in data[name]] for name in ("database", "objects")}
            manifest = cls(**{**data, **lists})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{folder / MANIFEST} is no manifest of a backup: {error}.") from None
        if manifest.format != FORMAT:
            raise BackupError(f"{folder} was made by Bayerboard {manifest.bayerboard}. Install that version or newer.")
        return manifest


@dataclass(frozen=True)
class BackupFolder:
    """A folder of backups, which share the objects: these never change, and each is kept once."""

    root: Path

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    def begin(self) -> Path:
        """Make the folder of a new backup, which counts once its manifest is there."""
        for folder in (self.root, self.objects, self.backups):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = self.backups / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
        folder.mkdir(mode=0o700)
        return folder

    def complete(self) -> list[Path]:
        """Return the backups that are whole, oldest first."""
        return sorted(path.parent for path in self.backups.glob(f"*/{MANIFEST}"))

    def find(self, name: str = "") -> Path:
        """Return the named backup, or the latest."""
        found = [folder for folder in self.complete() if name in {"", folder.name}]
        if not found:
            raise BackupError(f"{self.root} holds no whole backup{f' named {name}' if name else ''}.")
        return found[-1]


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def describe(path: Path, name: str) -> Stored:
    """Return size and hash of a file."""
    digest = hashlib.sha256()
    for chunk in chunks(path):
        digest.update(chunk)
    return Stored(name, path.stat().st_size, digest.hexdigest())
