"""Beat's round."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import SCORE_TASK, Evaluation, Status
from bayerboard.runs.models import BASELINE_TASK, BaselineRun, RunStatus
from tests import factories
from workers.recover import WAKE_AT_MOST, recover

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast

pytestmark = pytest.mark.database

Published = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


@pytest.fixture
def run(cast: Cast) -> BaselineRun:
    return BaselineRun.objects.create(method="mosaic", phase=cast.phase)


def expire(model: type[Evaluation | BaselineRun]) -> None:
    model.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_with_nothing_to_do_it_wakes_nobody(published: Published) -> None:
    recover()

    assert published == []


def test_wakes_a_worker_for_what_the_broker_forgot(submission: Submission, published: Published) -> None:
    recover()

    assert published == [(SCORE_TASK, {})]


def test_what_lost_its_worker_is_queued_and_somebody_woken(submission: Submission, published: Published) -> None:
    Evaluation.objects.claim_next("tester/1")
    expire(Evaluation)

    recover()

    assert submission.evaluation.status == Status.QUEUED
    assert published == [(SCORE_TASK, {})]


def test_what_runs_is_left_alone(submission: Submission, published: Published) -> None:
    Evaluation.objects.claim_next("tester/1")

    recover()

    assert submission.evaluation.status == Status.RUNNING
    assert published == []


def test_wakes_a_bounded_number(
    cast: Cast, tmp_path: Path, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.recover.WAKE_AT_MOST", 2)
    for _ in range(3):
        factories.make_submission(cast.phase, cast.team, tmp_path)

    recover()

    assert len(published) == 2 < WAKE_AT_MOST


def test_wakes_a_worker_for_a_baseline(run: BaselineRun, published: Published) -> None:
    recover()

    assert published == [(BASELINE_TASK, {"run_id": run.pk})]


def test_a_baseline_that_lost_its_worker_is_queued(run: BaselineRun, published: Published) -> None:
    BaselineRun.objects.claim(run.pk, "tester/1")
    expire(BaselineRun)

    recover()

    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED
    assert published == [(BASELINE_TASK, {"run_id": run.pk})]


def test_a_baseline_fails_after_the_last_attempt(run: BaselineRun, published: Published, settings: Settings) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        BaselineRun.objects.claim(run.pk, "tester/1")
        expire(BaselineRun)
        published.clear()
        recover()

    run.refresh_from_db()
    assert (run.status, run.failure) == (RunStatus.FAILED, "It stopped without progress.")
    assert published == []


def test_a_broker_that_does_not_answer_is_no_crash(submission: Submission, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr("bayerboard.lib.tasks.app.send_task", refuse)
    Evaluation.objects.claim_next("tester/1")
    expire(Evaluation)

    recover()

    assert submission.evaluation.status == Status.QUEUED
