"""Dumps of either database, consistent while the site goes on, and their way back.

SQLite copies itself, page by page (its online backup). PostgreSQL writes each table as CSV inside one snapshot: that
needs no program beside the server's own protocol, and any later version of PostgreSQL reads it.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from bayerboard.operations.backup.manifest import BackupError, chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bayerboard.operations.backup.manifest import Manifest

MIGRATIONS_TABLE = "django_migrations"


class Engine(ABC):
    """The operations of a database that a backup needs."""

    name: str

    @property
    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def dump(self, folder: Path) -> AbstractContextManager[Callable[[str], Iterable[tuple[Any, ...]]]]:
        """Write the database into `folder`; within the block, what is given answers queries about that very state."""

    @abstractmethod
    def load(self, folder: Path, manifest: Manifest) -> None:
        """Fill the empty database; it is then as it was, and of the version that it had."""


class Sqlite(Engine):
    """One file."""

    name = "sqlite"
    version = sqlite3.sqlite_version

    @contextmanager
    def dump(self, folder: Path) -> Iterator[Callable[[str], Iterable[tuple[Any, ...]]]]:
        connection.ensure_connection()
        with closing(sqlite3.connect(folder / "database.sqlite3")) as copy:
            connection.connection.backup(copy)
            # One file and no journal beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
            fault = copy.execute("PRAGMA integrity_check").fetchone()[0]
            if fault != "ok":
                raise BackupError(f"The database is damaged: {fault}. Keep the last backup, and stop the site.")
            yield lambda query: copy.execute(query)

    def load(self, folder: Path, manifest: Manifest) -> None:
        connection.ensure_connection()
        address = f"file:{folder / 'database.sqlite3'}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as copy:
            copy.backup(connection.connection)
        # The next connection puts it into WAL mode again.
        connection.close()


class Postgres(Engine):
    """A CSV file for each table."""

    name = "postgresql"

    @property
    def version(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return str(cursor.fetchone()[0])

    @contextmanager
    def dump(self, folder: Path) -> Iterator[Callable[[str], Iterable[tuple[Any, ...]]]]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for table in existing_tables():
                # Named, so that a restore depends on no order.
                columns = ", ".join(quoted(column.name) for column in columns_of(cursor, table))
                self._copy_out(
                    cursor, f"COPY {quoted(table)} ({columns}) TO STDOUT (FORMAT csv, HEADER)", folder / f"{table}.csv"
                )

            def read(query: str) -> list[tuple[Any, ...]]:
                cursor.execute(query)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                return rows

            yield read

    def load(self, folder: Path, manifest: Manifest) -> None:
        """Make the tables of the version that the backup has, then fill them in one transaction."""
        with connection.cursor() as cursor:
            for table in existing_tables():
                cursor.execute(f"DROP TABLE {quoted(table)} CASCADE")
        executor = MigrationExecutor(connection)
        recorded = {(label, name) for label, name in manifest.migrations}
        executor.migrate([node for node in sorted(recorded) if not follows(executor, node, recorded)])
        with transaction.atomic(), connection.cursor() as cursor:
            tables = existing_tables()
            # What migrations fill in: content types, permissions, their own list.
            cursor.execute(f"TRUNCATE {', '.join(map(quoted, tables))}")
            for table in tables:
                self._copy_in(cursor, table, folder / f"{table}.csv")
            set_sequences(cursor)

    @staticmethod
    def _copy_out(cursor: Any, statement: str, path: Path) -> None:
        with path.open("wb") as file, cursor.copy(statement) as rows:
            for chunk in rows:
                file.write(chunk)

    @staticmethod
    def _copy_in(cursor: Any, table: str, path: Path) -> None:
        with path.open() as file:
            columns = ", ".join(quoted(name.strip('"')) for name in file.readline().rstrip("\n").split(","))
        with cursor.copy(f"COPY {quoted(table)} ({columns}) FROM STDIN (FORMAT csv, HEADER)") as rows:
            for chunk in chunks(path):
                rows.write(chunk)


def engine() -> Engine:
    """Return the engine of this site."""
    return Postgres() if connection.vendor == "postgresql" else Sqlite()


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def existing_tables() -> list[str]:
    """Return this site's tables; others may share the database."""
    ours = {*connection.introspection.django_table_names(only_existing=True, include_views=False), MIGRATIONS_TABLE}
    return sorted(ours & set(connection.introspection.table_names()))


def columns_of(cursor: Any, table: str) -> list[Any]:
    return connection.introspection.get_table_description(cursor, table)


def count_rows(read: Callable[[str], Iterable[tuple[Any, ...]]], tables: Iterable[str]) -> dict[str, int]:
    """Return the number of rows of each table."""
    counts = {}
    for table in tables:
        ((counts[table],),) = read(f"SELECT count(*) FROM {quoted(table)}")  # noqa: S608 - our own names
    return counts


def read_now(query: str) -> list[tuple[Any, ...]]:
    """Answer a query about the database as it is."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def follows(executor: MigrationExecutor, node: tuple[str, str], recorded: set[tuple[str, str]]) -> bool:
    """Whether a later migration of the same app is recorded too: to reach that one is to reach this one."""
    children = executor.loader.graph.node_map[node].children
    return any(child.key[0] == node[0] and (child.key[0], child.key[1]) in recorded for child in children)


def set_sequences(cursor: Any) -> None:
    """Let every column that counts by itself go on after its highest value."""
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND is_identity = 'YES'"
    )
    ours = set(existing_tables())
    for table, column in cursor.fetchall():
        if table in ours:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), coalesce(max({quoted(column)}), 0) + 1, false) "  # noqa: S608
                f"FROM {quoted(table)}",
                [quoted(table), column],
            )


def bring_up_to_date() -> None:
    """Apply the migrations that the backup's version did not have yet."""
    call_command("migrate", interactive=False, verbosity=0)
