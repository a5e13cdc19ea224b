"""A storm from its beginning to its end: a Bayerboard, participants who submit, and what dies meanwhile."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from scoring.engine import score_archive
from scoring.protocol import load_protocol
from scoring.reference import Reference
from tests.chaos import ending
from tests.chaos.reaper import Reaper
from tests.chaos.sender import Acknowledged, Sender, jobs_of
from tests.e2e.challenge import PhaseData, smooth_references, write_challenge
from tests.e2e.pages import board_of, text_of
from tests.e2e.running import running
from tests.e2e.uploader import Uploader
from tests.patience import LONG_PATIENCE_S
from tests.services.outside import outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.chaos.plan import Plan
    from tests.chaos.reaper import Death
    from tests.e2e.running import Bayerboard, Row
    from tests.services.outside import Outside

CHALLENGE = "storm"
SIGMAS = (6, 9, 12, 15, 18)
# What is cut off a hundred times is still no fault of the submission's.
SETTINGS = {"BAYERBOARD_MAX_ATTEMPTS": "100"}
PROBE_EVERY_S = 0.05
RETRY_AFTER_S = 60


@dataclass(frozen=True)
class Outcome:
    """What was sent, what died, and what there was in the end."""

    plan: Plan
    acknowledged: Sequence[Acknowledged]
    requests: int
    refusals: int
    # Uploads in parts that the storage lost, and that were begun anew.
    begun_anew: int
    deaths: Sequence[Death]
    rows: Sequence[Row]
    faults: Sequence[str]
    longest_outage_s: float
    duration_s: float


def storm(plan: Plan, folder: Path) -> Outcome:
    """Run a plan on a new Bayerboard; return what came of it."""
    wants = {"with_postgres": plan.database == "postgres", "with_s3": plan.store == "s3"}
    with (
        outside(folder, **wants, durable=True) as servers,
        running(folder / "data", outside=servers, **SETTINGS) as bayerboard,
    ):
        world = World(folder, plan)
        created = bayerboard.manage("create_challenge", str(world.challenge))
        assert created.returncode == 0, created.stderr
        outcome = _rage(plan, world, bayerboard, servers)
        if servers.s3 is not None:
            assert len(servers.s3.objects()) >= plan.submissions, "the archives are not in the bucket"
        return outcome


class World:
    """The challenge, and the archives that are sent to it."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        quota = {"quota_per_day": plan.each}
        self.phases = [
            PhaseData("s7", "quick", smooth_references("s7", ["1_0", "1_1"]), quota),
            # a job that takes long enough to be hit
            PhaseData("s7", "long", smooth_references("s7", [f"2_{tile}" for tile in range(24)], seed=1), quota),
        ]
        self.challenge = write_challenge(folder, CHALLENGE, self.phases)
        self.archives = {
            phase.path(CHALLENGE): [phase.zip(folder / f"{phase.slug}-{sigma}.zip", sigma) for sigma in SIGMAS]
            for phase in self.phases
        }
        self.expected = {phase.slug: self._scores(folder, phase) for phase in self.phases}

    def _scores(self, folder: Path, phase: PhaseData) -> list[Mapping[str, float]]:
        """Score each archive directly, without Bayerboard."""
        protocol = load_protocol(phase.protocol)
        references = folder / CHALLENGE / phase.track / phase.slug / "raw"
        with Reference.open(references, protocol) as reference:
            return [
                score_archive(archive, reference, protocol).metrics for archive in self.archives[phase.path(CHALLENGE)]
            ]

    def sent(self, one: Acknowledged) -> ending.Sent:
        slug = one.job.phase.slug
        return ending.Sent(one.submission, one.job.key, one.team, slug, self.expected[slug][one.job.variant])


def _rage(plan: Plan, world: World, bayerboard: Bayerboard, servers: Outside) -> Outcome:
    senders = [_enter(plan, world, bayerboard, number) for number in range(plan.teams)]
    tickets = count()
    reaper = Reaper(plan, bayerboard, lambda: sum(len(sender.acknowledged) for sender in senders))
    started = time.monotonic()

    def send_all(sender: Sender) -> None:
        for job in sender.jobs:
            reaper.wait_for_kills_before(next(tickets))
            sender.send(job)
        sender.send_too_many()

    with probing(bayerboard) as outages, ThreadPoolExecutor(plan.teams + 1) as threads:
        killing = threads.submit(reaper.run)
        try:
            for sending in [threads.submit(send_all, sender) for sender in senders]:
                sending.result()
        finally:
            reaper.stop()
        killing.result()
        servers.wait_until_ready()
        bayerboard.wait_for(lambda: bayerboard.rows(ending.UNFINISHED)[0]["n"] == 0, LONG_PATIENCE_S)
    acknowledged = [one for sender in senders for one in sender.acknowledged]
    return Outcome(
        plan=plan,
        acknowledged=acknowledged,
        requests=sum(sender.requests for sender in senders),
        refusals=sum(sender.refusals for sender in senders),
        begun_anew=sum(sender.uploads_begun_anew for sender in senders),
        deaths=reaper.deaths,
        rows=bayerboard.rows(ending.EVALUATIONS),
        faults=[
            *ending.faults([world.sent(one) for one in acknowledged], *ending.read(bayerboard)),
            *(fault for sender in senders for fault in faults_of_pages(plan, world, sender)),
        ],
        longest_outage_s=max(outages, default=0.0),
        duration_s=time.monotonic() - started,
    )


def _enter(plan: Plan, world: World, bayerboard: Bayerboard, number: int) -> Sender:
    visitor = Uploader(bayerboard.url, f"team{number}")
    # A storage that hangs answers nobody, and another try may find it well.
    visitor.timeout_s = RETRY_AFTER_S
    visitor.join(CHALLENGE, visitor.name)
    return Sender(visitor, jobs_of(number, world.phases, plan.each, len(SIGMAS), plan.seed), CHALLENGE, world.archives)


def faults_of_pages(plan: Plan, world: World, sender: Sender) -> list[str]:
    """Return what the site itself shows wrongly: quotas, ranks, and the archives that it gives back."""
    found = []
    for phase in world.phases:
        path = f"/challenges/{phase.path(CHALLENGE)}/"
        if f"Used today {plan.each} of {plan.each}" not in text_of(sender.read(f"{path}submit/")):
            found.append(f"{sender.visitor.name}'s quota in {phase.slug} is not used up")
        ranks = [int(rank) for rank, _ in board_of(sender.read(path))]
        if len(ranks) != plan.teams or ranks != sorted(ranks) or ranks[0] != 1:
            found.append(f"the board of {phase.slug} shows the ranks {ranks}")
    for one in sender.acknowledged:
        stored = sender.download(f"/submissions/{one.submission}/archive/")
        archive = world.archives[one.job.phase.path(CHALLENGE)][one.job.variant]
        if hashlib.sha256(stored).digest() != hashlib.sha256(archive.read_bytes()).digest():
            found.append(f"submission {one.submission} has another archive than was sent")
    return found


@contextmanager
def probing(bayerboard: Bayerboard) -> Iterator[list[float]]:
    """Ask the site all the time whether it is well; collect for how long each time it was not, in seconds."""
    outages: list[float] = []
    stopped = threading.Event()

    def probe() -> None:
        since: float | None = None
        while not stopped.wait(PROBE_EVERY_S):
            now = time.monotonic()
            if not bayerboard.address.is_healthy():
                since = since or now
            elif since is not None:
                outages.append(now - since)
                since = None

    thread = threading.Thread(target=probe, name="probe")
    thread.start()
    try:
        yield outages
    finally:
        stopped.set()
        thread.join()
