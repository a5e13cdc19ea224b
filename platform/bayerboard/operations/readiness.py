"""Whether this process can do its work, for a load balancer, in stable codes."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from kombu.exceptions import OperationalError

from bayerboard.celery import app
from bayerboard.lib.storage import LocalDisk, StorageUnavailable, object_store

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

# Never written: to ask for it shows whether the storage answers.
PROBE_KEY = "readiness/probe"
BROKER_ERRORS = (OperationalError, OSError)
STORAGE_ERRORS = (OSError, StorageUnavailable)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `code` and `message` are fixed texts, safe to show to anybody."""

    name: str
    status: Literal["ok", "degraded", "down"]
    code: str = ""
    message: str = ""

    def to_json(self) -> dict[str, str]:
        return {"status": self.status, **({"code": self.code, "message": self.message} if self.code else {})}


def checks() -> list[Check]:
    """Look at database, migrations, storage and broker, in this order."""
    database = check_database()
    # Without a database there is nothing to say of its tables.
    first = [database] if database.status == "down" else [database, check_migrations()]
    return [*first, check_storage(), check_broker()]


def verdict(found: list[Check]) -> Literal["ready", "degraded", "not-ready"]:
    """Return not-ready when anything is down; degraded serves all the same."""
    if any(check.status == "down" for check in found):
        return "not-ready"
    return "degraded" if any(check.status == "degraded" for check in found) else "ready"


def check_database() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.warning("the database does not answer", exc_info=True)
        return Check("database", "down", "database-down", "The database does not answer.")
    return Check("database", "ok")


def check_migrations() -> Check:
    """Return a process whose code is newer than the database's tables must wait for `migrate`."""
    missing = unapplied_migrations()
    if missing:
        logger.warning("migrations are not applied: %s", ", ".join(missing))
        return Check("migrations", "down", "migrations-missing", "The database is older than this version.")
    return Check("migrations", "ok")


def unapplied_migrations() -> list[str]:
    """Return the migrations of this version that the database does not have."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [f"{label}.{name}" for label, name in known_migrations() if (label, name) not in applied]


@cache
def known_migrations() -> list[tuple[str, str]]:
    """Return this version's migrations; reading them takes a moment, and they do not change while it runs."""
    return sorted(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def check_storage() -> Check:
    try:
        store = object_store()
        store.exists(PROBE_KEY)
        usable = not isinstance(store, LocalDisk) or os.access(store.root, os.R_OK | os.W_OK | os.X_OK)
    except STORAGE_ERRORS:
        logger.warning("the storage does not answer", exc_info=True)
        usable = False
    if not usable:
        return Check("storage", "down", "storage-down", "The storage cannot be read and written.")
    return Check("storage", "ok")


def check_broker() -> Check:
    """Without a broker the site serves and takes submissions: the database decides, and beat repeats every hint."""
    try:
        with_broker(lambda client: client.ping())
    except BROKER_ERRORS:
        logger.warning("the broker does not answer", exc_info=True)
        return Check("broker", "degraded", "broker-down", "The broker does not answer; what is sent waits.")
    return Check("broker", "ok")


def with_broker(ask: Callable[[Any], Any]) -> Any:
    """Call `ask` with a client of the broker's server; kombu's OperationalError or OSError when it is not there."""
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
        channel: Any = broker.default_channel
        try:
            return ask(channel.client)
        except broker.connection_errors as error:
            raise OperationalError(str(error)) from error
