"""Which columns hold the keys of stored objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.apps import apps
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class KeyColumn(NamedTuple):
    """A column of keys, and which of its rows have an object."""

    model: str
    field: str
    where: str = ""


# A test compares this with the models: whoever adds a column of keys adds it here.
KEY_COLUMNS = (
    KeyColumn("challenges.InputSet", "storage_key"),
    KeyColumn("challenges.ReferenceSet", "storage_key"),
    KeyColumn("challenges.Download", "storage_key"),
    KeyColumn("submissions.Submission", "archive_key"),
    # What is still arriving has no object yet, and what was given up has none any more.
    KeyColumn("uploads.Upload", "archive_key", "state = 'complete'"),
)


def stored_keys(read: Callable[[str], Iterable[tuple[str, ...]]]) -> list[str]:
    """Return every key in order, read from a dump or a snapshot by `read`."""
    quote = connection.ops.quote_name
    keys: set[str] = set()
    for column in KEY_COLUMNS:
        meta = apps.get_model(column.model)._meta  # noqa: SLF001 - Django's documented interface
        name = quote(str(meta.get_field(column.field).column))
        query = f"SELECT {name} FROM {quote(meta.db_table)} WHERE {column.where or 'TRUE'}"  # noqa: S608 - our own names
        keys.update(key for (key,) in read(query) if key)
    return sorted(keys)
