"""The databases that a site is measured on: SQLite, and a private PostgreSQL of its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASES = ("SQLite",)


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Give the address of an empty database; empty for SQLite, which lies in the site's data folder."""
    yield ""
