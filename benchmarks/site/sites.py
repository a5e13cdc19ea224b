"""A Bayerboard for measuring: a database, and gunicorn before it as `manage.py up` starts it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
MANAGE = ROOT / "manage.py"
WEB_WORKERS, WEB_THREADS = 2, 8
READY_WITHIN_S = 60
SCORED_WITHIN_S = 600


@dataclass(frozen=True)
class Site:
    """One data folder and one database."""

    data: Path
    database_url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes: nothing of the measuring shell's own Bayerboard."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BAYERBOARD_")}
        database = {"DATABASE_URL": self.database_url, "SECRET_KEY": "only-for-measuring-" + "x" * 40}
        return {
            **inherited,
            "BAYERBOARD_DATA": str(self.data),
            "BAYERBOARD_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "bayerboard.settings",
            **(database if self.database_url else {}),
        }

    def manage(self, *arguments: str) -> str:
        return self._run(str(MANAGE), *arguments)

    def module(self, name: str, *arguments: str) -> Any:
        """Run a module of this package beside the site; return the JSON that it prints last."""
        return json.loads(self._run("-m", name, *arguments).splitlines()[-1])

    def wait_until_idle(self) -> None:
        """Return once everything that was submitted is scored."""
        deadline = time.monotonic() + SCORED_WITHIN_S
        while self.module("benchmarks.site.unfinished"):
            if time.monotonic() > deadline:
                raise RuntimeError("the workers do not get done")
            time.sleep(1)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{arguments} failed: {done.stderr[-2000:]}")
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[Server]:
        """Run gunicorn on it for the length of a block."""
        command = ["-m", "gunicorn", "bayerboard.wsgi:application", "--worker-class", "gthread"]
        command += ["--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS), "--no-control-socket"]
        with self._running([*command, "--log-level", "warning"]) as server:
            yield server

    @contextmanager
    def up(self, score_workers: int) -> Iterator[Server]:
        """Run all of Bayerboard on it for the length of a block."""
        with self._running([str(MANAGE), "up", "--score-workers", str(score_workers)]) as server:
            yield server

    @contextmanager
    def _running(self, arguments: list[str]) -> Iterator[Server]:
        address = f"127.0.0.1:{_free_port()}"
        command = [sys.executable, *arguments, "--bind", address]
        with subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL) as process:
            try:
                server = Server(address, process.pid)
                server.wait_until_ready()
                yield server
            finally:
                process.terminate()


@dataclass(frozen=True)
class Server:
    """A site that answers."""

    address: str
    pid: int

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("the site does not answer")
            time.sleep(0.05)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request("GET", "/health/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def seconds(self, paths: Iterable[str], cookie: str) -> list[float]:
        """Return each request's time, one after the other on one connection, and so by one process, body included."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        taken = []
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            response = connection.getresponse()
            body = response.read()
            taken.append(time.perf_counter() - began)
            if response.status != 200 or b"</html>" not in body:
                raise RuntimeError(f"{path} answered {response.status}")
        connection.close()
        return taken

    @contextmanager
    def scoring_held(self) -> Iterator[None]:
        """Let nothing be scored for the length of a block."""
        held = [pid for pid in _descendants(self.pid) if b"score@" in _read(pid, "cmdline")]
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in held:
                os.kill(pid, signal.SIGCONT)

    def web_memory_mb(self) -> float:
        """Return the resident memory of gunicorn's processes, in all."""
        return sum(_resident_kb(pid) for pid in _descendants(self.pid) if b"gunicorn" in _read(pid, "cmdline")) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _descendants(pid: int) -> list[int]:
    # Listed with the thread that started them: the supervisor is one of several.
    threads = [path.name for path in Path(f"/proc/{pid}/task").glob("*")]
    children = [int(child) for thread in threads for child in _read(pid, f"task/{thread}/children").split()]
    return [pid, *(below for child in children for below in _descendants(child))]


def _resident_kb(pid: int) -> int:
    found = re.search(rb"VmRSS:\s+(\d+)", _read(pid, "status"))
    return int(found[1]) if found else 0


def _read(pid: int, name: str) -> bytes:
    """Return the kernel's file about a process; nothing of one that has just ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
