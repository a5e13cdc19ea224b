"""A server program that is started again when it dies, as systemd would."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bayerboard.operations.supervisor import Backoff, Child, Program
from tests.operations.processes import is_running
from tests.patience import PATIENCE_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

# One try to reach a server; whoever waits for it tries again.
ANSWERS_WITHIN_S = 20
# One that has died this often while it was waited for will not come up by being started again.
HOPELESS_DEATHS = 5
POLL_S = 0.05
LOG_TAIL_CHARACTERS = 2000


class Service:
    """One program, of which nothing survives this process."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        answers: Callable[[], bool],
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.answers = answers
        self.log = log
        self.stop_signal = stop_signal
        self._child = Child(Program(name, command, log), Backoff())
        self._deaths = 0
        self._stopping = threading.Event()
        self._held = threading.Event()
        # A child is tied to the thread that started it: one thread starts, watches and stops it.
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        """Start it; return when it answers."""
        self._thread.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ask it to stop; return when it is gone."""
        self._stopping.set()
        self._thread.join()

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        process = self._child.process
        return process.pid if process is not None and is_running(process.pid) else None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send its process a signal that ends it; return the process that died."""
        pid = self.pid
        assert pid is not None, f"it does not run: {end_of(self.log)}"
        os.kill(pid, number)
        wait_for(lambda: not is_running(pid))
        return pid

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what dies meanwhile stay dead."""
        self._held.set()
        try:
            yield
        finally:
            self._held.clear()

    def wait_until_ready(self) -> None:
        """Return when it answers; fail with the end of its log where it dies instead."""
        before = self._deaths

        def check() -> None:
            deaths = self._deaths - before
            assert deaths < HOPELESS_DEATHS, f"{self.log.name}: it died {deaths} times\n{end_of(self.log)}"

        wait_for(self.answers, check=check)

    def _run(self) -> None:
        while not self._stopping.wait(POLL_S):
            if self._child.collect() is not None:
                self._deaths += 1
            if self._child.process is None and not self._held.is_set():
                self._child.start()
        if self._child.process is not None:
            os.kill(self._child.process.pid, self.stop_signal)
        deadline = time.monotonic() + PATIENCE_S
        while self._child.process is not None and self._child.collect() is None:
            if time.monotonic() > deadline:
                self._child.signal_group(signal.SIGKILL)
            time.sleep(POLL_S)


def end_of(log: Path) -> str:
    """Return the last lines of a log, if there is one."""
    return log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:] if log.exists() else "(no log)"


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
