"""The database: there, of this version, durable, and of one mind about the time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from bayerboard.operations.doctor.finding import Area, Finding
from bayerboard.operations.models import BEAT, Heartbeat
from bayerboard.operations.readiness import unapplied_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = Area("database")
# Leases run on the database's clock, submissions are stamped by the web machine's.
SKEW_WARNING_S, SKEW_PROBLEM_S = 2.0, 30.0
SYNCHRONOUS_FULL = 2


def look() -> Iterator[Finding]:
    """Look at the server, the migrations, durability, the clock, and beat, which leaves its sign of life there."""
    try:
        yield AREA.ok("server", _version())
    except DatabaseError as error:
        yield AREA.problem("server", f"does not answer ({type(error).__name__})", "Start it, or mend DATABASE_URL.")
        return
    missing = unapplied_migrations()
    if missing:
        yield AREA.problem("migrations", f"{len(missing)} not applied", "Run: python manage.py migrate")
        return
    yield AREA.ok("migrations", "all applied")
    yield _durability()
    yield skew(AREA, "clock of this machine", clock_skew_s(), "the database's")
    yield _beat()


def _version() -> str:
    (answer,) = _ask("SELECT version()" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
    return str(answer).split(",")[0] if connection.vendor == "postgresql" else f"SQLite {answer}"


def _ask(query: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def _durability() -> Finding:
    """Check that the database keeps through a power cut what it acknowledged."""
    if connection.vendor == "postgresql":
        values = {name: _ask(f"SHOW {name}")[0] for name in ("fsync", "synchronous_commit", "full_page_writes")}
        bad = [f"{name}={value}" for name, value in values.items() if value == "off"]
        if bad:
            return AREA.problem("durability", ", ".join(bad), "Turn it on in postgresql.conf, and restart the server.")
        return AREA.ok("durability", "fsync and synchronous_commit are on")
    (mode,), (synchronous,) = _ask("PRAGMA journal_mode"), _ask("PRAGMA synchronous")
    if str(mode).lower() != "wal" or synchronous < SYNCHRONOUS_FULL:
        return AREA.problem(
            "durability",
            f"journal_mode={mode}, synchronous={synchronous}",
            "Keep the database on a local disk: SQLite's WAL does not work on a network's.",
        )
    return AREA.ok("durability", "WAL, synchronous=FULL")


def clock_skew_s() -> float:
    """Return how far this machine's clock is ahead of the database's."""
    epoch = (
        "extract(epoch FROM clock_timestamp())"
        if connection.vendor == "postgresql"
        else "(julianday('now') - 2440587.5) * 86400.0"
    )
    before = time.time()
    (theirs,) = _ask(f"SELECT {epoch}")
    return (before + time.time()) / 2 - float(theirs)


def skew(area: Area, what: str, ahead_s: float, whose: str) -> Finding:
    """Judge a difference of clocks."""
    says = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} {whose}"
    advice = "Let NTP (chrony, systemd-timesyncd) set the clock of every machine."
    if abs(ahead_s) >= SKEW_PROBLEM_S:
        return area.problem(what, says, advice)
    if abs(ahead_s) >= SKEW_WARNING_S:
        return area.warning(what, says, advice)
    return area.ok(what, f"within {SKEW_WARNING_S:g} s of {whose}")


def _beat() -> Finding:
    last = Heartbeat.last(BEAT)
    if last is None:
        return AREA.problem("beat", "never made a round", "Start beat, one and no more, and a worker for `default`.")
    age_s = (timezone.now() - last).total_seconds()
    if age_s > 4 * settings.RECOVER_EVERY_S:
        return AREA.problem(
            "beat", f"last round {age_s:.0f} s ago", "Start beat, one and no more, and a worker for `default`."
        )
    return AREA.ok("beat", f"last round {age_s:.0f} s ago")
