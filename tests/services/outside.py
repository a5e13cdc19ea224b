"""PostgreSQL and Valkey by URL: what a Bayerboard of several machines shares."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.services.postgres import Postgres, postgres
from tests.services.valkey import Valkey, valkey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.service import Service


@dataclass(frozen=True)
class Outside:
    """The servers, and what names them in the environment."""

    postgres: Postgres
    valkey: Valkey
    database_url: str
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(50))

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.valkey.url, "SECRET_KEY": self.secret_key}

    @property
    def services(self) -> dict[str, Service]:
        """The programs that `manage.py up` does not start itself, by what they are to it."""
        return {"broker": self.valkey.service, "postgres": self.postgres.service}


@contextmanager
def outside(folder: Path, *, durable: bool = False) -> Iterator[Outside]:
    """Run both servers for the length of a block."""
    with ExitStack() as cleanup:
        database = cleanup.enter_context(postgres(durable=durable))
        broker = cleanup.enter_context(valkey(folder))
        yield Outside(database, broker, database.make_database("bayerboard"))
