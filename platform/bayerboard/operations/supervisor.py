"""Starts programs, starts them again when they die, and stops them stage by stage.

Each child has its own session, so that a Ctrl-C in the terminal reaches the supervisor alone and a dead
child's whole process group can be removed before its successor starts. One thread starts, watches and stops
all of them: the children are tied to it (see `tether`), so that none survives the supervisor.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TETHER = Path(__file__).with_name("tether.py")
POLL_S = 0.1
LOG_LIMIT_BYTES = 10_000_000


@dataclass(frozen=True)
class Program:
    """A program to run: command, log file, and time limits."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    grace_s: float = 10.0
    # The next program is started once this one is ready.
    is_ready: Callable[[], bool] = lambda: True
    # Programs of one stage are stopped together, those of a higher stage before those of a lower.
    stage: int = 0


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a restart: doubled at every death, reset by a stable run."""

    first_s: float = 0.5
    longest_s: float = 30.0
    stable_s: float = 30.0


class Child:
    """One program and the process that runs it now, if one does."""

    def __init__(self, program: Program, backoff: Backoff) -> None:
        self.program = program
        self.backoff = backoff
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0  # without a stable run between them
        self.started_at = 0.0
        self.start_at = 0.0

    def start(self) -> None:
        """Start the process in a session of its own, tied to this thread."""
        self.program.log.parent.mkdir(parents=True, exist_ok=True)
        with self.program.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *self.program.command],
                env={**os.environ, **self.program.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def collect(self) -> int | None:
        """Return the exit status if the process has ended, after removing what is left of its group."""
        if self.process is None:
            return None
        # WNOWAIT leaves a zombie, which keeps the group's number ours until the group is gone.
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        self.signal_group(signal.SIGKILL)
        status = self.process.wait()
        self.process = None
        return status

    def plan_restart(self) -> float:
        """Choose the time of the next start; return how far away it is."""
        now = time.monotonic()
        if now - self.started_at >= self.backoff.stable_s:
            self.deaths = 0
        delay_s = min(self.backoff.first_s * 2.0 ** min(self.deaths, 10), self.backoff.longest_s)
        self.deaths += 1
        self.start_at = now + delay_s
        return delay_s

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the leader alone: Celery and gunicorn stop their own workers, after what these are doing."""
        if self.process is not None:
            # Not `process.terminate()`, which would collect a process that has just ended, and lose its group.
            os.kill(self.process.pid, signal.SIGTERM)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and everything it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def trim_log(self) -> None:
        """Move a log that has grown large aside; the process goes on appending to the same file."""
        log = self.program.log
        with contextlib.suppress(OSError):  # a full disk must not end the supervision
            if log.stat().st_size > LOG_LIMIT_BYTES:
                with contextlib.suppress(OSError):
                    shutil.copyfile(log, log.with_suffix(".old.log"))
                os.truncate(log, 0)


class Supervisor:
    """Starts programs in the order given, keeps them running, and stops them stage by stage."""

    def __init__(
        self, programs: Sequence[Program], report: Callable[[str], None], backoff: Backoff | None = None
    ) -> None:
        self.children = [Child(program, backoff or Backoff()) for program in programs]
        self.report = report
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def start(self) -> None:
        """Start the programs and watch them until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop every program, the highest stage first; return when none is left."""
        self._stopping.set()
        # Never one endless `join`: a signal that arrives just before it begins to wait would be handled only when it
        # ends, and the second Ctrl-C, which is to end it, would be lost.
        while self.is_alive:
            self._thread.join(POLL_S)

    def hurry(self) -> None:
        """Give the programs that are still stopping no more time."""
        self._hurry.set()

    @property
    def is_alive(self) -> bool:
        """Whether the programs are being watched."""
        return self._thread.is_alive()

    def most_troubled(self) -> Child:
        """Return the child that died most often without a stable run between."""
        return max(self.children, key=lambda child: child.deaths)

    def _run(self) -> None:
        try:
            for child in self.children:
                child.start()
                self._watch_until(child.program.is_ready)
            self._watch_until(lambda: False)
        finally:
            for stage in sorted({child.program.stage for child in self.children}, reverse=True):
                self._stop_together([child for child in self.children if child.program.stage == stage])

    def _watch_until(self, condition: Callable[[], bool]) -> None:
        while not self._stopping.is_set() and not condition():
            for child in self.children:
                self._tend(child)
            self._stopping.wait(POLL_S)

    def _tend(self, child: Child) -> None:
        child.trim_log()
        status = child.collect()
        if status is not None:
            self._plan_restart(child, f"stopped ({describe_status(status)})")
        elif child.process is None and child.deaths and time.monotonic() >= child.start_at:
            try:
                child.start()
            except OSError as error:  # no memory or no process left: that may pass
                self._plan_restart(child, f"could not be started ({error})")

    def _plan_restart(self, child: Child, what: str) -> None:
        delay_s = child.plan_restart()
        with contextlib.suppress(OSError):  # a terminal that has been closed is no reason to stop
            self.report(f"{child.program.name} {what}; next start in {delay_s:g} s. Its log: {child.program.log}")

    def _stop_together(self, children: Sequence[Child]) -> None:
        started = time.monotonic()
        left = [child for child in children if child.process is not None]
        for child in left:
            child.ask_to_stop()
        while left := [child for child in left if child.collect() is None]:
            for child in left:
                if self._hurry.is_set() or time.monotonic() - started >= child.program.grace_s:
                    child.signal_group(signal.SIGKILL)
            time.sleep(POLL_S / 4)


def describe_status(status: int) -> str:
    """Say how a process ended, from what `Popen.wait` returned."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
