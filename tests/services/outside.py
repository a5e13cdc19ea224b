"""PostgreSQL, Valkey and S3 by URL: what a Bayerboard of several machines shares."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tests.services.postgres import Postgres, postgres
from tests.services.s3 import S3, s3
from tests.services.valkey import Valkey, valkey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.service import Service


@dataclass(frozen=True)
class Outside:
    """The servers that a Bayerboard does not start itself, and what names them in the environment."""

    postgres: Postgres | None = None
    valkey: Valkey | None = None
    s3: S3 | None = None
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(50))

    @cached_property
    def database_url(self) -> str:
        assert self.postgres is not None
        return self.postgres.make_database("bayerboard")

    @property
    def environment(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.postgres is not None:
            found |= {"DATABASE_URL": self.database_url, "SECRET_KEY": self.secret_key}
        if self.valkey is not None:
            found |= {"REDIS_URL": self.valkey.url}
        return found | (self.s3.environment if self.s3 is not None else {})

    @property
    def services(self) -> dict[str, Service]:
        """Their programs, by what they are to Bayerboard."""
        servers = {"broker": self.valkey, "postgres": self.postgres, "store": self.s3}
        return {name: server.service for name, server in servers.items() if server is not None}

    def wait_until_ready(self) -> None:
        for service in self.services.values():
            service.wait_until_ready()


@contextmanager
def outside(
    folder: Path, *, with_postgres: bool = True, with_s3: bool = False, durable: bool = False
) -> Iterator[Outside]:
    """Run PostgreSQL with Valkey, or S3, or all three for the length of a block."""
    with ExitStack() as cleanup:
        yield Outside(
            postgres=cleanup.enter_context(postgres(durable=durable)) if with_postgres else None,
            valkey=cleanup.enter_context(valkey(folder)) if with_postgres else None,
            s3=cleanup.enter_context(s3(folder)) if with_s3 else None,
        )
