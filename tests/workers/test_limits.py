"""What bounds the scoring of one submission: its time, its memory, and what becomes of a dead worker's job."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import SCORE_TASK, Evaluation, Status
from bayerboard.lib.leases import LeaseLost
from bayerboard.runs.models import BaselineRun, RunStatus
from bayerboard.submissions.submit import quota_of
from tests import factories
from tests.site.pages import Page
from workers.limits import Watchdog
from workers.recover import recover, release
from workers.score import score_next

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from pytest_django import Settings

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast


# pause() holds Python's lock: nothing of this process runs any more, as in a C library that hangs.
HANG_IN_C = """
import ctypes
from workers import limits
limits.GRACE_S = 0.1
with limits.Watchdog(lease_s={lease_s}, limit_s={limit_s}):
    ctypes.PyDLL(None).pause()
"""
TOO_MUCH = """
import numpy as np
from workers.limits import memory_bound
try:
    with memory_bound(600):
        np.ones(10_000_000)
        np.ones(100_000_000)
except MemoryError:
    np.ones(100_000_000)
    print("refused inside, granted outside")
"""


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def overdue() -> None:
    Evaluation.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))


# --- The process ---


@pytest.mark.parametrize(("lease_s", "limit_s"), [(0.1, 1000), (1000, 0.1)])
def test_a_hang_in_c_ends_with_the_lease_or_the_limit(lease_s: float, limit_s: float) -> None:
    done = run_python(HANG_IN_C.format(lease_s=lease_s, limit_s=limit_s))

    assert done.returncode == -signal.SIGALRM, done.stderr


def test_progress_extends_the_lease_and_not_the_limit() -> None:
    with Watchdog(lease_s=1000, limit_s=5000) as watchdog:
        signal.setitimer(signal.ITIMER_REAL, 1)
        watchdog.extend()
        assert 900 < signal.getitimer(signal.ITIMER_REAL)[0] < 1100
    with Watchdog(lease_s=5000, limit_s=1000) as watchdog:
        watchdog.extend()
        assert 900 < signal.getitimer(signal.ITIMER_REAL)[0] < 1100


def test_the_timer_goes_back_to_its_owner() -> None:
    handler = signal.getsignal(signal.SIGALRM)
    left_s = signal.getitimer(signal.ITIMER_REAL)[0]

    with Watchdog(lease_s=10_000, limit_s=10_000):
        assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL

    assert signal.getsignal(signal.SIGALRM) == handler
    assert signal.getitimer(signal.ITIMER_REAL)[0] <= left_s


def test_an_allocation_beyond_the_bound_is_refused() -> None:
    done = run_python(TOO_MUCH)

    assert done.stdout == "refused inside, granted outside\n", done.stderr


# --- Time ---


def test_the_claim_knows_the_phases_limit(cast: Cast, submission: Submission) -> None:
    type(cast.phase).objects.update(time_limit_s=77)

    evaluation = Evaluation.objects.claim_next("tester/1")

    assert evaluation is not None
    assert evaluation.deadline_at is not None
    assert evaluation.started_at is not None
    assert abs((evaluation.deadline_at - evaluation.started_at).total_seconds() - 77) < 1


def test_out_of_time_neither_progress_nor_a_result_is_taken(submission: Submission) -> None:
    evaluation = Evaluation.objects.claim_next("tester/1")
    assert evaluation is not None
    overdue()

    with pytest.raises(LeaseLost):
        evaluation.show_progress(1, 2)
    with pytest.raises(LeaseLost):
        evaluation.end(Status.SCORED)


def test_out_of_time_it_fails_at_once_for_good_and_costs_nothing(cast: Cast, submission: Submission) -> None:
    Evaluation.objects.claim_next("tester/1")
    overdue()

    recover()

    evaluation = submission.evaluation
    assert (evaluation.status, evaluation.attempts) == (Status.FAILED, 1)
    assert evaluation.failure_code == "time-limit-reached"
    assert evaluation.failure.startswith("Scoring took longer than this phase allows (30 min).")
    assert "time-limit-reached" in Page(cast.client("participant").get(submission.get_absolute_url())).text
    assert quota_of(cast.phase, cast.team).used_total == 0


def test_a_worker_that_sees_that_time_is_up_says_so_itself(
    submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_progress = Evaluation.show_progress

    def show(evaluation: Evaluation, done: int, total: int) -> None:
        overdue()
        show_progress(evaluation, done, total)

    monkeypatch.setattr(Evaluation, "show_progress", show)

    score_next()

    assert (submission.evaluation.status, submission.evaluation.failure_code) == (Status.FAILED, "time-limit-reached")
    assert submission.evaluation.metrics == {}


def test_a_worker_killed_when_time_was_up_is_no_second_attempt(submission: Submission) -> None:
    Evaluation.objects.claim_next("tester/1")
    overdue()

    release("tester/1")

    assert (submission.evaluation.status, submission.evaluation.failure_code) == (Status.FAILED, "time-limit-reached")


# --- Memory ---


def test_what_needs_too_much_memory_fails_at_once_and_costs_nothing(
    cast: Cast, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("workers.score.score_archive", score)

    score_next()

    evaluation = submission.evaluation
    assert (evaluation.status, evaluation.attempts) == (Status.FAILED, 1)
    assert evaluation.failure_code == "memory-limit-reached"
    assert quota_of(cast.phase, cast.team).used_total == 0


# --- Deaths ---


def test_what_a_dead_worker_held_is_queued_at_once_and_somebody_woken(
    submission: Submission, published: list[tuple[str, dict[str, Any]]]
) -> None:
    Evaluation.objects.claim_next("tester/1")
    published.clear()

    release("tester/1")

    assert (submission.evaluation.status, submission.evaluation.attempts) == (Status.QUEUED, 1)
    assert published == [(SCORE_TASK, {})]


def test_other_workers_keep_what_they_have(submission: Submission) -> None:
    Evaluation.objects.claim_next("tester/11")

    release("tester/1")

    assert submission.evaluation.status == Status.RUNNING


def test_what_kills_every_worker_fails_in_the_end_and_costs_nothing(
    cast: Cast, submission: Submission, settings: Settings
) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        Evaluation.objects.claim_next("tester/1")
        release("tester/1")

    evaluation = submission.evaluation
    assert (evaluation.status, evaluation.failure_code) == (Status.FAILED, "worker-died")
    assert evaluation.failure.startswith("Its worker died 3 times.")
    assert quota_of(cast.phase, cast.team).used_total == 0


def test_a_baseline_whose_worker_died_is_queued(cast: Cast) -> None:
    run = BaselineRun.objects.create(method="mosaic", phase=cast.phase)
    BaselineRun.objects.claim(run.pk, "tester/1")

    release("tester/1")

    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED


def test_a_baseline_that_kills_every_worker_says_so(cast: Cast, settings: Settings) -> None:
    run = BaselineRun.objects.create(method="mosaic", phase=cast.phase)
    for _ in range(settings.MAX_ATTEMPTS):
        BaselineRun.objects.claim(run.pk, "tester/1")
        release("tester/1")

    run.refresh_from_db()
    assert run.failure == "The process that ran it died, probably for lack of memory."
