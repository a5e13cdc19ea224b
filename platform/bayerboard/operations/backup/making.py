"""Makes a backup: the database first, then the objects that it names."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import scoring
from bayerboard.lib.storage import object_store
from bayerboard.operations.backup.databases import MIGRATIONS_TABLE, count_rows, engine, existing_tables
from bayerboard.operations.backup.manifest import CHUNK_BYTES, BackupError, BackupFolder, Manifest, Stored, describe
from bayerboard.operations.backup.stored import stored_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


def make_backup(target: BackupFolder, *, verify: bool, over: Callable[[list[str]], Iterable[str]]) -> Manifest:
    """Add a backup to `target`; `over` goes through the keys, and may show how far.

    Objects never change. Every one that the dump names was there before the dump, so that the backup is consistent
    while the site goes on; an object that an earlier backup brought is not copied again, and with `verify` read again.
    """
    with only_one(target.root):
        folder, site = target.begin(), engine()
        known = known_objects(target)
        with site.dump(folder) as read:
            keys, counts = stored_keys(read), count_rows(read, existing_tables())
            migrations = [list(row) for row in read(f"SELECT app, name FROM {MIGRATIONS_TABLE} ORDER BY id")]  # noqa: S608
        database = [describe(path, path.name) for path in sorted(folder.iterdir())]
        found = {key: keep_object(target, key, None if verify else known.get(key)) for key in over(keys)}
        manifest = Manifest(
            bayerboard=scoring.__version__,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            engine=site.name,
            engine_version=site.version,
            migrations=migrations,
            counts=counts,
            database=database,
            objects=[stored for stored in found.values() if stored is not None],
            missing=[key for key, stored in found.items() if stored is None],
        )
        manifest.write(folder)
        return manifest


def known_objects(target: BackupFolder) -> dict[str, Stored]:
    """Return the objects of the latest backup's manifest."""
    whole = target.complete()
    return {item.name: item for item in Manifest.read(whole[-1]).objects} if whole else {}


def keep_object(target: BackupFolder, key: str, known: Stored | None) -> Stored | None:
    """Return the object's description, after copying it unless it is there; None where the storage has none."""
    store, path = object_store(), target.objects / key
    if known is not None and path.is_file() and path.stat().st_size == known.size_bytes:
        return known
    try:
        size_bytes = store.size_bytes(key)
        if path.is_file() and path.stat().st_size == size_bytes:
            # Left by a backup that was broken off, or asked to be read again.
            return describe(path, key)
        return copy_object(key, path, size_bytes)
    except FileNotFoundError:
        return None


def copy_object(key: str, path: Path, size_bytes: int) -> Stored:
    """Copy an object out of the storage, under its name only once it is whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft, digest = path.with_name(f".{path.name}.part"), hashlib.sha256()
    with object_store().open(key) as source, draft.open("wb") as file:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
        copied_bytes = file.tell()
        file.flush()
        os.fsync(file.fileno())
    if copied_bytes != size_bytes:
        raise BackupError(f"{key}: the storage sent {copied_bytes} bytes of {size_bytes}. Start the backup again.")
    draft.replace(path)
    return Stored(key, size_bytes, digest.hexdigest())


def forget_older(target: BackupFolder, keep: int) -> int:
    """Remove all but the latest `keep` backups, those that were broken off, and the objects that none names; count."""
    with only_one(target.root):
        whole = target.complete()
        kept = whole[-keep:]
        for folder in target.backups.iterdir():
            if folder not in kept:
                shutil.rmtree(folder)
        named = {item.name for folder in kept for item in Manifest.read(folder).objects}
        for path in target.objects.rglob("*"):
            if path.is_file() and str(path.relative_to(target.objects)) not in named:
                path.unlink()
        return len(whole) - len(kept)


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Keep two backups from working in one folder."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being made in {root}. Wait for its end.") from None
        yield
