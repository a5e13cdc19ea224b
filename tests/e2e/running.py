"""A whole Bayerboard in processes of its own, for tests: what `manage.py up` starts, and what a test does to it.

The site's database belongs to those processes: a test reads it through a read-only connection, and changes it only
as an organiser or a participant would.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from bayerboard.operations.address import Address
from tests.operations.processes import descendants, is_running, stat_of
from tests.patience import PATIENCE_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pytest

    from tests.services.outside import Outside

    Row = Mapping[str, Any]

T = TypeVar("T")

MANAGE = Path(__file__).parents[2] / "manage.py"
LOG_TAIL_LINES = 40
PROGRAMS = {
    "broker": r"(valkey|redis)-server",
    "web": r"gunicorn",
    "score": r"score@",
    "baseline": r"baseline@",
    "beat": r"celery\S* .* beat ",
}
# Short, so that what a dead worker held comes back while a test waits for it.
QUICK = {"BAYERBOARD_LEASE_S": "10", "BAYERBOARD_RECOVER_EVERY_S": "1"}


class Bayerboard:
    """`manage.py up`, or `demo`, on its own data folder and a free port; embedded, or with the servers of `outside`."""

    def __init__(self, data_dir: Path, command: str = "up", outside: Outside | None = None, **settings: str) -> None:
        self.data_dir = data_dir
        self.command = command
        self.outside = outside
        self.environment = {**environment(data_dir, outside), **settings}
        self.output = data_dir.with_suffix(".out")
        self._start("127.0.0.1:0")

    def _start(self, bind: str) -> None:
        self.process = self._popen(self.command, "--bind", bind)
        try:
            self.address = Address.parse(self.wait_for(self._find_address))
            # The workers are up a little later than the site: a test that stops one must find it.
            self.wait_for(lambda: all(self.leader(name) and self.children(name) for name in ("score", "web")))
        except BaseException:
            self.kill()
            raise

    @property
    def url(self) -> str:
        return self.address.url

    def _popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, str(MANAGE), *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait_for(self, look: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Return what `look` returns as soon as that is true; fail at once where the supervisor is dead."""
        return wait_for(look, within_s, self._check)

    def _check(self) -> None:
        assert self.process.poll() is None, self._last_words()

    def _last_words(self) -> str:
        return "\n".join(f"--- {name}\n{text}" for name, text in self.logs() if text)

    def _find_address(self) -> str | None:
        found = re.search(r"Bayerboard is ready(?: at|:) http://(\S+)/ ", self.output.read_text())
        return found[1] if found else None

    # --- Its commands and its database ---

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command beside the running site."""
        return _manage(self.environment, *arguments)

    def rows(self, query: str, *values: Any) -> list[Row]:
        """Read from the database, JSON as its text; `?` stands for a value."""
        if self.outside is None or self.outside.postgres is None:
            return self._rows_of_sqlite(query, values)
        with psycopg.connect(self.outside.database_url, autocommit=True, row_factory=dict_row) as connection:
            set_json_loads(_as_text, connection)
            return list(connection.execute(query.replace("%", "%%").replace("?", "%s").encode(), values))

    def _rows_of_sqlite(self, query: str, values: tuple[Any, ...]) -> list[Row]:
        # autocommit: a reader that keeps a transaction open would go on seeing the past
        address = f"file:{self.data_dir / 'bayerboard.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE_S)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def _takes_writes(self) -> bool:
        """Whether no process keeps the others from writing."""
        if self.outside is not None and self.outside.postgres is not None:
            return True
        with closing(
            sqlite3.connect(self.data_dir / "bayerboard.sqlite3", isolation_level=None, timeout=1)
        ) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
            return True

    def evaluation(self, submission: int) -> Row:
        """Return the evaluation of a submission under its phase's published version."""
        (row,) = self.rows(
            """SELECT evaluation.* FROM evaluations_evaluation evaluation
            JOIN submissions_submission submission ON submission.id = evaluation.submission_id
            JOIN submissions_entry entry ON entry.id = submission.entry_id
            JOIN challenges_phase phase ON phase.id = entry.phase_id
            WHERE submission.id = ? AND evaluation.scoring_version_id = phase.published_version_id""",
            submission,
        )
        return row

    def wait_for_end(self, submission: int) -> Row:
        """Return the evaluation of a submission once it is over."""

        def look() -> Row | None:
            row = self.evaluation(submission)
            return None if row["status"] in {"queued", "running"} else row

        return self.wait_for(look)

    def stored_archives(self) -> set[Path]:
        """Return every file that uploads left behind, whole or half."""
        objects = self.data_dir / "objects"
        return {path for folder in ("archives", "incoming") for path in (objects / folder).glob("*") if path.is_file()}

    # --- Its processes ---

    def leader(self, name: str) -> int | None:
        """Return the process of a program that the supervisor itself started, or of a server outside."""
        if self.outside is not None and name in self.outside.services:
            return self.outside.services[name].pid
        for pid in descendants(self.process.pid):
            if stat_of(pid)[1] == self.process.pid and re.search(PROGRAMS[name], command_of(pid)):
                return pid
        return None

    def children(self, name: str) -> set[int]:
        """Return the processes below a program's own."""
        leader = self.leader(name)
        return descendants(leader) if leader else set()

    def kill_program(self, name: str) -> int:
        """Kill a program without warning; return the process that died."""
        pid = self.leader(name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_restart(self, name: str, died: int) -> None:
        self.wait_for(lambda: self.leader(name) not in (None, died))

    def forget_messages(self) -> None:
        """Remove what the broker keeps on its disk; for one that does not run."""
        valkey = self.outside.valkey if self.outside is not None else None
        folder = self.data_dir if valkey is None else valkey.folder
        for memory in folder.rglob("appendonlydir"):
            shutil.rmtree(memory)

    def cut_power(self) -> None:
        """Kill all of it at once."""
        everything = descendants(self.process.pid)
        self.kill()
        wait_for(lambda: not any(is_running(pid) for pid in everything))

    def start_again(self) -> None:
        """Start it at the same address."""
        self._start(str(self.address))

    @contextmanager
    def workers_held(self) -> Iterator[None]:
        """Hold everything that scores: what is sent meanwhile stays queued."""
        leader = self.leader("score")
        assert leader is not None
        held = [leader, *sorted(descendants(leader))]

        def stop() -> bool:
            for pid in held:
                os.kill(pid, signal.SIGSTOP)
            if self._takes_writes():
                return True
            # In the middle of a transaction: SQLite would let nobody else write.
            for pid in held:
                os.kill(pid, signal.SIGCONT)
            return False

        self.wait_for(stop)
        try:
            yield
        finally:
            for pid in held:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def supervisor_held(self) -> Iterator[None]:
        """Hold the supervisor, and what starts the servers outside: what dies meanwhile stays dead."""
        with ExitStack() as holds:
            for service in self.outside.services.values() if self.outside else ():
                holds.enter_context(service.held())
            self.process.send_signal(signal.SIGSTOP)
            holds.callback(self.process.send_signal, signal.SIGCONT)
            yield

    def stop(self) -> None:
        """Stop all of it as Ctrl-C does, and see that nothing is left."""
        everything = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0, self._last_words()
        assert not [pid for pid in everything if is_running(pid)]

    def kill(self) -> None:
        """Leave nothing running, whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def logs(self) -> list[tuple[str, str]]:
        """Return the name and the end of every log."""
        servers = [service.log for service in self.outside.services.values()] if self.outside else []
        files = [self.output, *sorted((self.data_dir / "log").glob("*.log")), *servers]
        return [
            (file.stem, "\n".join(file.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])) for file in files
        ]


def _as_text(json: str | bytes) -> str:
    return json if isinstance(json, str) else json.decode()


def environment(data_dir: Path, outside: Outside | None = None) -> dict[str, str]:
    """Return this environment with another data folder, the given servers or the embedded mode, and short leases."""
    foreign = {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"}
    inherited = {
        name: value for name, value in os.environ.items() if name not in foreign and not name.startswith("BAYERBOARD_")
    }
    return {
        **inherited,
        **QUICK,
        **(outside.environment if outside else {}),
        "BAYERBOARD_DATA": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "bayerboard.settings",
    }


def manage(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a management command on a data folder, in the embedded mode."""
    return _manage(environment(data_dir), *arguments)


def _manage(variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def command_of(pid: int) -> str:
    """Return a process's command line; empty when it has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def running(
    data_dir: Path, command: str = "up", outside: Outside | None = None, **settings: str
) -> Iterator[Bayerboard]:
    """Run it for the length of a block, with more settings if need be, and let nothing of it remain."""
    one = Bayerboard(data_dir, command, outside, **settings)
    try:
        yield one
        one.stop()
    finally:
        one.kill()


def add_logs(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add to the report of a failed test what the Bayerboard among its fixtures logged."""
    fixtures: dict[str, Any] = getattr(item, "funcargs", {})
    for one in fixtures.values():
        if report.failed and isinstance(one, Bayerboard):
            report.sections += [(f"log of {name}", text) for name, text in one.logs() if text]
