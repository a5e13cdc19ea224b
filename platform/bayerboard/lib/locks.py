"""Locks that Django's own queries do not know."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from django.db.models import Model


def lock_for_share(model: type[Model], pk: int) -> None:
    """Let nobody change a row, by its `id`, until this transaction ends; others may share it.

    `select_for_update` lets one at a time through, and each waits for the disk of the one before. On SQLite only one
    transaction writes at any time: there is nothing to do.
    """
    if connection.vendor != "postgresql":
        return
    table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - Django documents it
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR SHARE", [pk])  # noqa: S608 - the model's own name


def hold(*names: str) -> None:
    """Let one transaction at a time pass that holds any of these names, until it ends.

    For limits that count rows: there is no row to lock before the first. On SQLite only one transaction writes at any
    time: there is nothing to do.
    """
    if connection.vendor != "postgresql":
        return
    keys = {int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True) for name in names}
    with connection.cursor() as cursor:
        # In one order, so that no two wait for each other.
        for key in sorted(keys):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
