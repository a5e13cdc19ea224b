"""What hangs, or kills its worker, fails alone; what a worker that was killed held is not lost until its lease ends."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.challenge import PhaseData, smooth_references, write_challenge
from tests.e2e.conftest import CHALLENGE
from tests.e2e.running import running
from tests.e2e.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.e2e.running import Bayerboard

pytestmark = pytest.mark.processes

LONG = 240  # images: long enough to be disturbed in between
# Longer than any test: what comes back before does not come back by its lease.
LEASE_S = 3000
LIMIT_S = 4


@pytest.fixture(scope="module")
def phases() -> dict[str, PhaseData]:
    long = smooth_references("s7", [f"8_{tile}" for tile in range(LONG)])
    return {
        "long": PhaseData("s7", "long", long),
        "limited": PhaseData("s7", "limited", long, {"time_limit_s": LIMIT_S}),
        "short": PhaseData("s7", "short", smooth_references("s7", ["6_0"])),
    }


@pytest.fixture(scope="module")
def bayerboard(tmp_path_factory: pytest.TempPathFactory, phases: dict[str, PhaseData]) -> Iterator[Bayerboard]:
    folder = tmp_path_factory.mktemp("limits")
    with running(folder / "data", BAYERBOARD_LEASE_S=str(LEASE_S)) as one:
        created = one.manage("create_challenge", str(write_challenge(folder, CHALLENGE, list(phases.values()))))
        assert created.returncode == 0, created.stderr
        yield one


@pytest.fixture
def visitor(bayerboard: Bayerboard, request: pytest.FixtureRequest) -> Visitor:
    one = Visitor(bayerboard.url, f"person{abs(hash(request.node.name)) % 10**6}")
    one.join(CHALLENGE, one.name)
    return one


def running_child(bayerboard: Bayerboard, submission: int, attempt: int) -> int:
    """Return the process in the middle of this attempt at scoring the submission."""

    def look() -> Mapping[str, Any] | None:
        row = bayerboard.evaluation(submission)
        assert row["status"] in {"queued", "running"}, "over before it could be disturbed"
        return row if row["status"] == "running" and row["attempts"] == attempt else None

    return int(bayerboard.wait_for(look)["worker"].rpartition("/")[2])


def test_the_job_of_a_killed_child_goes_on_long_before_its_lease_ends(
    bayerboard: Bayerboard, phases: dict[str, PhaseData], visitor: Visitor, tmp_path: Path
) -> None:
    submission = visitor.submit(phases["long"].path(CHALLENGE), phases["long"].zip(tmp_path / "sent.zip", 9), "Killed")

    os.kill(running_child(bayerboard, submission, attempt=1), signal.SIGKILL)

    ended = bayerboard.wait_for_end(submission)
    assert (ended["status"], ended["attempts"], ended["images_done"]) == ("scored", 2, LONG)


def test_what_kills_every_worker_fails_alone(
    bayerboard: Bayerboard, phases: dict[str, PhaseData], visitor: Visitor, tmp_path: Path
) -> None:
    leader = bayerboard.leader("score")
    poison = visitor.submit(phases["long"].path(CHALLENGE), phases["long"].zip(tmp_path / "long.zip", 9), "Poison")
    others = []
    for attempt in (1, 2, 3):
        os.kill(running_child(bayerboard, poison, attempt), signal.SIGKILL)
        archive = phases["short"].zip(tmp_path / f"{attempt}.zip", 9)
        others.append(visitor.submit(phases["short"].path(CHALLENGE), archive, "Bystander"))

    ended = bayerboard.wait_for_end(poison)

    assert (ended["status"], ended["attempts"], ended["failure_code"]) == ("failed", 3, "worker-died")
    assert "Its worker died 3 times." in visitor.get(f"/submissions/{poison}/")
    for other in others:
        row = bayerboard.wait_for_end(other)
        assert (row["status"], row["attempts"]) == ("scored", 1)
    assert bayerboard.leader("score") == leader


def test_what_hangs_beyond_the_phases_limit_fails_for_good(
    bayerboard: Bayerboard, phases: dict[str, PhaseData], visitor: Visitor, tmp_path: Path
) -> None:
    archive = phases["limited"].zip(tmp_path / "sent.zip", 9)
    submission = visitor.submit(phases["limited"].path(CHALLENGE), archive, "Hanging")
    child = running_child(bayerboard, submission, attempt=1)
    os.kill(child, signal.SIGSTOP)
    try:
        ended = bayerboard.wait_for_end(submission)
    finally:
        os.kill(child, signal.SIGCONT)

    assert (ended["status"], ended["attempts"], ended["failure_code"]) == ("failed", 1, "time-limit-reached")
    after = visitor.submit(phases["short"].path(CHALLENGE), phases["short"].zip(tmp_path / "next.zip", 9), "Next")
    assert bayerboard.wait_for_end(after)["status"] == "scored"
    assert bayerboard.evaluation(submission)["status"] == "failed"
