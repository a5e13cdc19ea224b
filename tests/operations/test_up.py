"""`manage.py up` as it is: real broker, site, workers and beat."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from bayerboard.lib.embedded import runtime_dir
from bayerboard.operations.address import Address
from tests.operations.processes import descendants, is_running, stat_of
from tests.patience import PATIENCE_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.processes

PROGRAMS = {
    "broker": "valkey-server|redis-server",
    "web": "gunicorn",
    "score": "score@",
    "baseline": "baseline@",
    "beat": "beat",
}


class Up:
    """A running `manage.py up`."""

    def __init__(self, data_dir: Path, bind: str) -> None:
        self.data_dir = data_dir
        self.output = data_dir.with_suffix(".out")
        command = [sys.executable, "-m", "django", "up", "--bind", bind, "--score-workers", "1"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=environment(data_dir), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> Address:
        """Return the address that it prints."""

        def look() -> list[str]:
            assert self.process.poll() is None, self.said
            return re.findall(r"Bayerboard is ready at http://(\S+)/ ", self.said)

        return Address.parse(wait_for(look)[0])

    def leader(self, name: str) -> int | None:
        """Return the process of a program that the supervisor itself started."""
        for pid in descendants(self.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if stat_of(pid)[1] == self.process.pid and re.search(PROGRAMS[name], command):
                return pid
        return None

    def stop(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def environment(data_dir: Path) -> dict[str, str]:
    """Return this environment with another data folder and the embedded broker."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "DATABASE_URL"}}
    return {**inherited, "BAYERBOARD_DATA": str(data_dir), "DJANGO_SETTINGS_MODULE": "bayerboard.settings"}


@contextmanager
def up(data_dir: Path, bind: str = "127.0.0.1:0") -> Iterator[Up]:
    """Run it for the length of a block, and let nothing of it remain."""
    one = Up(data_dir, bind)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        if data_dir.exists():
            shutil.rmtree(runtime_dir(data_dir))


def test_it_starts_everything_restarts_what_dies_and_stops_in_order(tmp_path: Path) -> None:
    with up(tmp_path / "data") as one:
        address = one.wait_until_ready()
        assert address.is_healthy()
        wait_for(lambda: all(one.leader(name) for name in PROGRAMS))

        worker = one.leader("score")
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: one.leader("score") not in (None, worker))
        assert "score stopped (SIGKILL); next start in 0.5 s" in one.said

        second = up_again(one.data_dir)
        assert second.returncode == 1
        assert "already running on the data folder" in second.stderr
        assert str(one.process.pid) in second.stderr

        everything = descendants(one.process.pid)
        assert one.stop(signal.SIGTERM) == 0
        assert not any(is_running(pid) for pid in everything)
        assert one.said.endswith("Stopping …  (Ctrl-C again: at once)\nStopped.\n")
        assert not address.is_healthy()


def up_again(data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Try to start a second one on the same data."""
    command = [sys.executable, "-m", "django", "up", "--bind", "127.0.0.1:0"]
    return subprocess.run(command, env=environment(data_dir), capture_output=True, text=True, check=False)


def test_nothing_survives_a_kill_and_the_next_start_finds_no_obstacle(tmp_path: Path) -> None:
    with up(tmp_path / "data") as one:
        one.wait_until_ready()
        wait_for(lambda: all(one.leader(name) for name in PROGRAMS))
        # gunicorn has two processes of its own, each of the two Celery workers has one
        wait_for(lambda: len(descendants(one.process.pid)) == len(PROGRAMS) + 4)
        everything = descendants(one.process.pid)
        one.process.kill()
        one.process.wait()
        wait_for(lambda: not any(is_running(pid) for pid in everything))
    with up(tmp_path / "data") as again:
        again.wait_until_ready()
        assert again.stop(signal.SIGINT) == 0


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        up(tmp_path / "data", f"127.0.0.1:{other.getsockname()[1]}") as one,
    ):
        assert one.process.wait(PATIENCE_S) == 1
    assert "Address already in use" in one.said
    assert not (tmp_path / "data" / "log").exists()
    assert not (tmp_path / "data" / "bayerboard.sqlite3").exists()


@pytest.mark.parametrize("words", [["--score-workers", "0"], ["--web-threads", "many"], ["--bind", "nowhere"]])
def test_a_value_that_makes_no_sense_is_refused(words: list[str]) -> None:
    with pytest.raises(CommandError, match="takes"):
        call_command("up", *words)
