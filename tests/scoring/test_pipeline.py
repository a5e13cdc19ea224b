"""Several images at once: results in order, exceptions where they belong, and a prompt end."""

from __future__ import annotations

import os
import threading
from contextlib import closing

import pytest

from scoring.pipeline import in_order, usable_cores
from tests.patience import PATIENCE_S


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert list(in_order(lambda item: item * item, range(50), jobs)) == [item * item for item in range(50)]


def test_one_job_needs_no_thread() -> None:
    assert set(in_order(lambda _: threading.get_ident(), range(3), 1)) == {threading.get_ident()}


def test_jobs_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE_S)

    # Each waits for the other, so one after the other would time out.
    assert sorted(in_order(lambda _: meeting.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_comes_where_its_result_would(jobs: int) -> None:
    def divide(item: int) -> float:
        return 1 / item

    results = in_order(divide, [4, 2, 0, 1], jobs)

    assert [next(results), next(results)] == [0.25, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_what_has_not_begun_is_dropped_when_the_caller_stops() -> None:
    began: list[int] = []
    go_on = threading.Event()

    def work(item: int) -> int:
        began.append(item)
        if item:
            go_on.wait(PATIENCE_S)
        return item

    with closing(in_order(work, range(100), 2)) as results:
        next(results)
        threading.Timer(0.05, go_on.set).start()

    assert len(began) < 100
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("scoring")]


def test_the_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3}, raising=False)

    assert usable_cores() == 2


def test_without_affinity_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)

    assert usable_cores() == 5
