"""A web machine and two worker machines that share PostgreSQL, a broker and S3, and nothing else.

``unshare --net --mount python -m tests.chaos.machines FOLDER``: one worker machine is cut off in the middle of a job,
and the other finishes it. Prints, as JSON, what was seen.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import django
import psycopg

django.setup()

from psycopg.rows import dict_row

from bayerboard.operations.stack import beat, web, worker
from tests.chaos.network import HUB, Machine, Network
from tests.e2e.challenge import PhaseData, smooth_references, write_challenge
from tests.e2e.running import MANAGE, environment
from tests.e2e.visitor import Visitor
from tests.operations.processes import descendants
from tests.patience import wait_for
from tests.services.outside import outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CHALLENGE = "machines"
IMAGES, SUBMISSIONS = 96, 6
LEASE_S = 10
STATES = """SELECT submission_id, status, worker, attempts, images_done, metrics
    FROM evaluations_evaluation ORDER BY submission_id"""


class Site:
    """The three machines, and what each runs."""

    def __init__(self, folder: Path, shared: dict[str, str]) -> None:
        self.folder = folder
        self.shared = shared
        self.web, self.one, self.two = (Machine(name, 2 + place) for place, name in enumerate(("web", "one", "two")))
        self.programs: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, cleanup: ExitStack) -> None:
        self._manage("migrate", "--verbosity", "0")
        self._manage("collectstatic", "--no-input", "--verbosity", "0")
        scoring = worker("score", "score,default", 1)
        for name, machine, arguments in (
            ("web", self.web, web(f"{self.web.address}:8000", 1, 4)),
            ("beat", self.web, beat()),
            ("one", self.one, scoring),
            ("two", self.two, scoring),
        ):
            command = machine.command([sys.executable, "-m", *arguments])
            log = cleanup.enter_context((self.folder / f"{name}.log").open("wb"))
            self.programs[name] = subprocess.Popen(
                command, env=self._environment(machine), stdout=log, stderr=log, start_new_session=True
            )
            cleanup.callback(os.killpg, self.programs[name].pid, signal.SIGKILL)

    def create_challenge(self, file: Path) -> None:
        self._manage("create_challenge", str(file))

    def pids(self, machine: str) -> set[int]:
        return {self.programs[machine].pid, *descendants(self.programs[machine].pid)}

    def _manage(self, *arguments: str) -> None:
        command = self.web.command([sys.executable, str(MANAGE), *arguments])
        subprocess.run(command, env=self._environment(self.web), check=True, stdout=subprocess.DEVNULL)

    def _environment(self, machine: Machine) -> dict[str, str]:
        return {
            **environment(self.folder / machine.name),
            **self.shared,
            "BAYERBOARD_LEASE_S": str(LEASE_S),
            "BAYERBOARD_RECOVER_EVERY_S": "1",
            "BAYERBOARD_HOSTS": f"{self.web.address},localhost",
        }


def main(folder: Path) -> dict[str, Any]:
    """Run the scenario; return what was seen."""
    with ExitStack() as cleanup:
        network = Network()
        servers = cleanup.enter_context(outside(folder, with_s3=True))
        site = Site(folder, {name: value.replace("127.0.0.1", HUB) for name, value in servers.environment.items()})
        for name in ("DATABASE_URL", "REDIS_URL", "BAYERBOARD_S3_ENDPOINT_URL"):
            network.offer(urlsplit(servers.environment[name]).port or 0)
        site.start(cleanup)
        data = PhaseData("s7", "long", smooth_references("s7", [f"8_{tile}" for tile in range(IMAGES)]))
        site.create_challenge(write_challenge(folder, CHALLENGE, [data]))
        visitor = _visitor(f"http://{site.web.address}:8000")
        archive = data.zip(folder / "submission.zip", sigma=9)
        with psycopg.connect(servers.database_url, autocommit=True, row_factory=dict_row) as database:
            return _cut_and_rejoin(site, database, visitor, data.path(CHALLENGE), archive)


def _cut_and_rejoin(
    site: Site, database: psycopg.Connection[Any], visitor: Visitor, phase: str, archive: Path
) -> dict[str, Any]:
    def states() -> list[dict[str, Any]]:
        return database.execute(STATES).fetchall()

    def held_by_one() -> dict[str, Any]:
        running = (row for row in states() if row["status"] == "running")
        return next((row for row in running if row["worker"].startswith("one/")), {})

    def stopped_in_a_job() -> dict[str, Any]:
        """Stop the machine while it holds a job, which it would otherwise have done before its cable is out."""
        if not held_by_one():
            return {}
        _signal(site.pids("one"), signal.SIGSTOP)
        if held := held_by_one():
            return held
        _signal(site.pids("one"), signal.SIGCONT)
        return {}

    def all_scored() -> list[dict[str, Any]]:
        rows = states()
        return rows if {row["status"] for row in rows} == {"scored"} else []

    # The workers wait until all is there: they are faster than the sender.
    workers = site.pids("one") | site.pids("two")
    _signal(workers, signal.SIGSTOP)
    for number in range(SUBMISSIONS):
        visitor.submit(phase, archive, f"Method {number}")
    _signal(workers, signal.SIGCONT)
    held = wait_for(stopped_in_a_job)
    site.one.cut_off()
    _signal(site.pids("one"), signal.SIGCONT)
    cut_at = time.monotonic()
    finished = wait_for(all_scored)
    taken_over = next(row for row in finished if row["submission_id"] == held["submission_id"])
    recovered_s = time.monotonic() - cut_at
    # Back in the network it may finish what it holds, and write nothing; then it works on.
    site.one.plug_in()
    _signal(site.pids("two"), signal.SIGSTOP)
    late = visitor.submit(phase, archive, "Late")
    after = wait_for(all_scored)
    return {
        "held": held["submission_id"],
        "held_by": held["worker"],
        "finished_by": taken_over["worker"],
        "attempts": taken_over["attempts"],
        "all_scored_s": round(recovered_s, 1),
        "unchanged": after[:SUBMISSIONS] == finished,
        "scores": len({json.dumps(row["metrics"], sort_keys=True) for row in after}),
        "late_by": next(row["worker"] for row in after if row["submission_id"] == late),
        "submissions": len(after),
    }


def _visitor(url: str) -> Visitor:
    def sign_up() -> Visitor | None:
        try:
            return Visitor(url, "person")
        except OSError:
            return None  # it has not started yet

    visitor = wait_for(sign_up)
    assert visitor is not None
    visitor.join(CHALLENGE, visitor.name)
    return visitor


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


if __name__ == "__main__":
    arguments: Sequence[str] = sys.argv[1:]
    print(json.dumps(main(Path(arguments[0]))))
