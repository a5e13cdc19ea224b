"""A private Valkey or Redis server on a TCP port, with a password: a broker on another machine, as it were."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bayerboard.operations.valkey import find_server
from tests.services.service import ANSWERS_WITHIN_S, Service, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Valkey:
    """One server and what it keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "valkey"
        self.folder.mkdir(parents=True)
        self.url = f"redis://:{secrets.token_urlsafe(12)}@127.0.0.1:{free_port()}/0"
        password, address = self.url.removeprefix("redis://:").removesuffix("/0").split("@")
        options = {
            "bind": "127.0.0.1",
            "port": address.partition(":")[2],
            "requirepass": password,
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.service = Service("valkey", [str(find_server().binary), *words], folder / "valkey.log", self.answers)

    def client(self) -> redis.Redis:
        # Whoever asks will ask again: the client's own retries would only make a "no" slow.
        return redis.Redis.from_url(self.url, socket_timeout=ANSWERS_WITHIN_S, retry=Retry(NoBackoff(), 0))

    def answers(self) -> bool:
        client = self.client()
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def wipe(self) -> None:
        """Kill it, and take all that it knew."""
        self.service.kill()
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)


@contextmanager
def valkey(folder: Path) -> Iterator[Valkey]:
    """Run a server for the length of a block."""
    server = Valkey(folder)
    server.service.start()
    try:
        yield server
    finally:
        server.service.stop()
