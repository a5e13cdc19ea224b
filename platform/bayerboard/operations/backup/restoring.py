"""Restores a backup into an empty site: the objects first, then the database that names them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from bayerboard.accounts.models import User
from bayerboard.challenges.models import Challenge
from bayerboard.lib.storage import object_store
from bayerboard.lib.storage.interface import check_key
from bayerboard.operations.backup.databases import bring_up_to_date, count_rows, engine, read_now
from bayerboard.operations.backup.manifest import CHUNK_BYTES, BackupError, Manifest, Stored, chunks, describe
from bayerboard.operations.readiness import known_migrations
from bayerboard.submissions.models import Submission
from bayerboard.teams.models import Team

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bayerboard.operations.backup.manifest import BackupFolder

# A site in which none of these has a row is an empty one.
TELLING: dict[str, Any] = {"people": User, "challenges": Challenge, "teams": Team, "submissions": Submission}


def restore_backup(source: BackupFolder, folder: Path, *, over: Callable[[list[Stored]], Iterable[Stored]]) -> Manifest:
    """Restore the backup in `folder`; BackupError, and no row written, where it does not fit or is damaged.

    One that is broken off can be started again: what has arrived whole stays.
    """
    manifest = Manifest.read(folder)
    check_fits(manifest)
    check_empty()
    for item in manifest.database:
        if describe(folder / item.name, item.name) != item:
            raise BackupError(f"{folder / item.name} is not as the manifest says. Restore an older backup.")
    for item in over(manifest.objects):
        put_back(source.objects / check_key(item.name), item)
    engine().load(folder, manifest)
    found = count_rows(read_now, manifest.counts)
    wrong = [f"{table}: {found[table]} of {rows}" for table, rows in manifest.counts.items() if found[table] != rows]
    if wrong:
        raise BackupError(f"The database was not restored whole ({'; '.join(wrong)}).")
    bring_up_to_date()
    return manifest


def check_fits(manifest: Manifest) -> None:
    """Raise BackupError where this site cannot take the backup."""
    if manifest.engine != engine().name:
        raise BackupError(
            f"The backup is of {manifest.engine}, and this site uses {engine().name}: "
            "set or unset DATABASE_URL so that both are the same."
        )
    known = set(known_migrations())
    if unknown := [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]:
        raise BackupError(
            f"The backup was made by Bayerboard {manifest.bayerboard}, which knows more than this one "
            f"({', '.join(unknown[:3])}). Install that version or newer."
        )


def check_empty() -> None:
    """Raise BackupError where there is something to overwrite."""
    tables = set(connection.introspection.table_names())
    full = [
        name
        for name, model in TELLING.items()
        if model._meta.db_table in tables and model.objects.exists()  # noqa: SLF001 - Django's documented interface
    ]
    if full:
        raise BackupError(
            f"This site is not empty: it has {', '.join(full)}. A backup is restored into an empty one alone; "
            "choose another BAYERBOARD_DATA, or another database and bucket."
        )


def put_back(path: Path, item: Stored) -> None:
    """Put one object into the storage, and compare its hash on the way."""
    store = object_store()
    if store.exists(item.name):
        if hash_of_stored(item.name) != item.sha256:
            raise BackupError(f"The storage has another {item.name} already. Restore into an empty storage.")
        return
    settings.UPLOAD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=settings.UPLOAD_DIR, prefix="restore-", delete=False) as draft:
        copy = Path(draft.name)
        try:
            digest = hashlib.sha256()
            for chunk in chunks(path):
                digest.update(chunk)
                draft.write(chunk)
            draft.flush()
            if digest.hexdigest() != item.sha256:
                raise BackupError(f"{path} is damaged: its hash is not the manifest's. Take it from an older copy.")
            store.put(item.name, copy)
        except FileNotFoundError:
            raise BackupError(f"{path} is missing from the backup.") from None
        finally:
            copy.unlink(missing_ok=True)


def hash_of_stored(key: str) -> str:
    digest = hashlib.sha256()
    with object_store().open(key) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
