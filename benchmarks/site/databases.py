"""The databases that a site is measured on: SQLite, and a private PostgreSQL that waits for the disk."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.services.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASES = ("SQLite", "PostgreSQL")


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Give the address of an empty database; an empty one for SQLite, which lies in the site's data folder."""
    if kind == "SQLite":
        yield ""
        return
    with postgres(durable=True) as server:
        yield server.make_database("bayerboard")
