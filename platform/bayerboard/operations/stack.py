"""All of Bayerboard on one machine: broker, site, workers and beat under one supervisor."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn, Self

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from bayerboard.operations import valkey
from bayerboard.operations.address import Address
from bayerboard.operations.errors import CannotStart
from bayerboard.operations.supervisor import Program, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType, TracebackType

POLL_S = 0.1
# For a slow machine on which other programs run; what cannot start at all ends the waiting sooner.
READY_WITHIN_S = 300
# A program that has died this often before the site ever answered will not come up by being started again.
HOPELESS_DEATHS = 3
LOG_TAIL_LINES = 15


class Stack:
    """Starts everything on entry and stops it on exit, the broker last; for the main thread.

    SIGINT, SIGTERM and SIGHUP raise `KeyboardInterrupt` inside the block. One that arrives while everything
    is being stopped ends the waiting for what still runs.

        with Stack(bind="127.0.0.1:8000") as stack:
            stack.wait_until_ready()
            stack.wait_for_interrupt()
    """

    def __init__(
        self,
        *,
        bind: str = "127.0.0.1:8000",
        web_workers: int = 2,
        web_threads: int = 8,
        score_workers: int | None = None,
        report: Callable[[str], None] | None = None,
        quiet: bool = False,
    ) -> None:
        self.address = Address.parse(bind)
        self.web_workers = web_workers
        self.web_threads = web_threads
        self.score_workers = score_workers or len(os.sched_getaffinity(0))
        self.report = report or report_on_stdout
        self.quiet = quiet
        self._cleanup = contextlib.ExitStack()

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the site."""
        return self.address.url

    def __enter__(self) -> Self:
        """Check that nothing is in the way, prepare database and static files, start the programs."""
        with contextlib.ExitStack() as cleanup:
            lock = cleanup.enter_context(only_instance(settings.DATA_DIR))
            cleanup.enter_context(handling_signals(interrupt))
            self.address = self.address.claim()
            lock.write_text(f"process {os.getpid()}, {self.url}")
            self._say("Preparing the database and the static files …")
            prepare()
            self._say("Starting the broker, the site, the workers and beat …")
            self.supervisor = Supervisor(self.programs(), self.report)
            cleanup.callback(self._stop)
            self.supervisor.start()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the programs; return when none is left."""
        self._cleanup.__exit__(kind, error, traceback)

    def wait_until_ready(self, timeout_s: float = READY_WITHIN_S) -> None:
        """Return once the site answers, or raise `CannotStart` with the end of the log of what failed."""
        deadline = time.monotonic() + timeout_s
        while not self.address.is_healthy():
            troubled = self.supervisor.most_troubled()
            if troubled.deaths >= HOPELESS_DEATHS:
                raise CannotStart(f"{troubled.program.name} does not start. {end_of(troubled.program.log)}")
            if time.monotonic() >= deadline:
                log = next(child.program.log for child in self.supervisor.children if child.program.name == "web")
                raise CannotStart(f"The site did not answer within {timeout_s:g} s. {end_of(log)}")
            self._check_supervisor()
            time.sleep(POLL_S)

    def wait_for_interrupt(self) -> NoReturn:
        """Wait until a signal raises `KeyboardInterrupt`."""
        while True:
            self._check_supervisor()
            time.sleep(1)

    def programs(self) -> list[Program]:
        """Return the programs in the order in which they are started."""
        # A scoring process uses one core: more threads inside numpy would only get in each other's way.
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        programs = [
            python_program("web", web(str(self.address), self.web_workers, self.web_threads)),
            python_program("score", worker("score", "score,default", self.score_workers), one_thread),
            python_program("baseline", worker("baseline", "baseline", 1)),
            python_program("beat", beat()),
        ]
        return [*broker_programs(settings.DATA_DIR), *programs]

    def _say(self, text: str) -> None:
        if not self.quiet:
            self.report(text)

    def _check_supervisor(self) -> None:
        if not self.supervisor.is_alive:
            raise CannotStart("The supervision ended unexpectedly; the message above this one says why.")

    def _stop(self) -> None:
        self._say("Stopping …  (Ctrl-C again: at once)")
        with handling_signals(lambda *_: self.supervisor.hurry()):
            self.supervisor.stop()


def prepare() -> None:
    """Bring the database to this version and put the static files where the site serves them from."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    connections.close_all()


def broker_programs(data_dir: Path) -> list[Program]:
    """Return the embedded broker, or nothing where REDIS_URL names another."""
    if not settings.EMBEDDED_BROKER:
        return []
    socket: Path = settings.VALKEY_SOCKET
    command = valkey.server_command(valkey.find_server(), data_dir, socket)
    return [Program("broker", command, log_of("broker"), is_ready=lambda: valkey.answers(socket))]


def web(bind: str, workers: int, threads: int) -> list[str]:
    """Return the arguments of the site's server."""
    return [
        *("gunicorn", "bayerboard.wsgi:application", "--config", "python:bayerboard.operations.gunicorn"),
        *("--worker-class", "gthread", "--no-control-socket"),
        *("--workers", str(workers), "--threads", str(threads), "--bind", bind),
    ]


def beat() -> list[str]:
    """Return the arguments of the clock."""
    return ["celery", "--app", "bayerboard.celery:app", "beat", "--pidfile", ""]


def worker(name: str, queues: str, processes: int) -> list[str]:
    """Return the arguments of a Celery worker."""
    return [
        *(
            "celery",
            "--app",
            "bayerboard.celery:app",
            "worker",
            "--hostname",
            f"{name}@%h",
            "--loglevel",
            "INFO",
        ),
        # Workers of one machine have nothing to tell each other.
        *("--queues", queues, "--concurrency", str(processes), "--without-gossip", "--without-mingle"),
    ]


def python_program(name: str, arguments: list[str], env: dict[str, str] | None = None) -> Program:
    """Return a program that runs a module with this interpreter and these settings."""
    return Program(
        name=name,
        command=[sys.executable, "-m", *arguments],
        log=log_of(name),
        # A worker first ends what it scores; what is cut off all the same is scored again after the next start.
        grace_s=20,
        # before the broker, which they all use
        stage=1,
        env={"BAYERBOARD_DATA": str(settings.DATA_DIR), "PYTHONUNBUFFERED": "1", **(env or {})},
    )


def log_of(name: str) -> Path:
    """Return the file that a program's output is appended to."""
    folder: Path = settings.DATA_DIR / "log"
    return folder / f"{name}.log"


def end_of(log: Path) -> str:
    """Return the last lines of a log, introduced."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:] if log.exists() else []
    return "\n".join([f"The end of its log, {log}:", *(f"  {line}" for line in lines or ["(nothing)"])])


def report_on_stdout(text: str) -> None:
    """Write a line; a terminal that has been closed is no reason to stop."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


@contextlib.contextmanager
def only_instance(data_dir: Path) -> Iterator[Path]:
    """Hold the data folder's lock and give its file; it is free again when this process ends, however it ends."""
    path = data_dir / "up.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"Bayerboard is already running on the data folder {data_dir} ({file.read().strip()}). "
                "Stop it first, or choose another folder and another port: BAYERBOARD_DATA=… and --bind."
            ) from None
        yield path


@contextlib.contextmanager
def handling_signals(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Send the signals that mean "stop" to `handler`; SIGHUP only where nohup does not ignore it."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Make every signal that means "stop" do what Ctrl-C does."""
    raise KeyboardInterrupt
