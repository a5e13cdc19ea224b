"""Kills by plan, at moments that the seed draws."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from tests.chaos.plan import LASTING, Kill
from tests.operations.processes import is_running
from tests.patience import LONG_PATIENCE_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.plan import Plan
    from tests.e2e.running import Bayerboard

# Long enough to hit a job that the submission before it started, short enough to hit one that is being sent.
DELAY_AT_MOST_S = 1.5
AWAY_S = 60
CHILDREN_OF = {Kill.SCORING_PROCESS: "score", Kill.WEB_PROCESS: "web"}
LEADERS = {
    Kill.SCORE_WORKER: "score",
    Kill.SITE: "web",
    Kill.BEAT: "beat",
    Kill.BROKER: "broker",
    Kill.STORE: "store",
    Kill.POSTGRES: "postgres",
    Kill.POSTGRES_RESTART: "postgres",
}


@dataclass(frozen=True)
class Death:
    """What died, and when on this machine's clock."""

    kill: Kill
    at_s: float


class Reaper:
    """Carries out a plan's kills, each once enough submissions are acknowledged."""

    def __init__(self, plan: Plan, bayerboard: Bayerboard, acknowledged: Callable[[], int]) -> None:
        self.plan = plan
        self.bayerboard = bayerboard
        self.acknowledged = acknowledged
        self.deaths: list[Death] = []
        self.failure: BaseException | None = None
        self._random = random.Random(plan.seed)
        self._stopped = threading.Event()

    def run(self) -> None:
        """Kill, one after the other; for a thread of its own."""
        try:
            for number, kill in enumerate(self.plan.kills, start=1):
                while self.plan.kills_before(self.acknowledged()) < number:
                    if self._stopped.wait(0.02):
                        return
                self._stopped.wait(self._random.uniform(0, DELAY_AT_MOST_S))
                at_s = self._kill(kill)
                self.deaths.append(Death(kill, at_s))
        except BaseException as error:
            self.failure = error
            raise

    def stop(self) -> None:
        self._stopped.set()

    def wait_for_kills_before(self, acknowledged: int) -> None:
        """Return once the kills that belong before this submission are done: so the two keep step."""
        needed = self.plan.kills_before(acknowledged)

        def is_time() -> bool:
            assert self.failure is None, self.failure
            return len(self.deaths) >= needed

        wait_for(is_time, LONG_PATIENCE_S)

    def _kill(self, kill: Kill) -> float:
        if kill is Kill.POWER:
            at_s = time.time()
            self.bayerboard.cut_power()
            self.bayerboard.start_again()
            return at_s
        if kill is Kill.BROKER_WIPED:
            with self.bayerboard.supervisor_held():
                at_s = self._end(lambda: self._leader("broker"), signal.SIGKILL)
                self.bayerboard.forget_messages()
            return at_s
        if kill in LASTING:
            return self._take_the_store_away(hung=kill is Kill.STORE_HUNG)
        number = signal.SIGINT if kill is Kill.POSTGRES_RESTART else signal.SIGKILL
        if kill in CHILDREN_OF:
            return self._end(lambda: self._child(CHILDREN_OF[kill]), number)
        return self._end(lambda: self._leader(LEADERS[kill]), number)

    def _take_the_store_away(self, *, hung: bool) -> float:
        """Let the S3 server refuse connections for a minute, or take them and say nothing; return when it is back."""
        servers = self.bayerboard.outside
        assert servers is not None
        store = servers.services["store"]
        if hung:
            pid = self._leader("store")
            os.kill(pid, signal.SIGSTOP)
            self._stopped.wait(AWAY_S)
            os.kill(pid, signal.SIGCONT)
            return time.time()
        with store.held():
            self._end(lambda: self._leader("store"), signal.SIGKILL)
            self._stopped.wait(AWAY_S)
        store.wait_until_ready()
        return time.time()

    def _leader(self, program: str) -> int:
        return wait_for(lambda: self.bayerboard.leader(program))

    def _child(self, program: str) -> int:
        children = wait_for(lambda: self.bayerboard.children(program))
        # rather one in the middle of its work
        return self._random.choice(sorted(children & self._busy()) or sorted(children))

    def _busy(self) -> set[int]:
        try:
            rows = self.bayerboard.rows("SELECT worker FROM evaluations_evaluation WHERE status = 'running'")
        except psycopg.OperationalError:  # what was killed before is not back yet
            return set()
        return {int(row["worker"].rpartition("/")[2]) for row in rows}

    def _end(self, find: Callable[[], int], number: signal.Signals) -> float:
        while True:
            pid, at_s = find(), time.time()
            if end_process(pid, number):
                return at_s


def end_process(pid: int, number: signal.Signals) -> bool:
    """Return once the process is gone; False where it died of something else just before."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    wait_for(lambda: not is_running(pid))
    return True
