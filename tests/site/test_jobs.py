"""The registry of job kinds: recovery, metrics, doctor and the queues of tasks go through it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bayerboard.celery import app
from bayerboard.evaluations.models import EVALUATIONS
from bayerboard.lib import jobs
from bayerboard.lib.leases import LeasedJob
from bayerboard.operations import tallies
from bayerboard.operations.doctor import broker
from bayerboard.operations.metrics import queue_sets
from bayerboard.operations.models import EXPIRED_LEASES, Tally
from bayerboard.operations.stack import Stack
from bayerboard.runs.models import BASELINE_RUNS, BaselineRun
from workers.recover import recover

if TYPE_CHECKING:
    from tests.factories import Cast

pytestmark = pytest.mark.database


pytestmark = pytest.mark.database


@pytest.fixture
def picture(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> jobs.JobKind:
    """Register a third kind, which borrows the rows of baseline runs, for the time of a test."""
    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))
    monkeypatch.setattr("bayerboard.celery._queues", {})
    kind = replace(
        BASELINE_RUNS,
        name="pictures",
        task="workers.pictures.draw",
        queue="pictures",
        label="pictures",
        groups={"picture": Q()},
        key_argument="picture_id",
    )
    return jobs.register(kind)


@pytest.fixture
def run(cast: Cast) -> BaselineRun:
    return BaselineRun.objects.create(method="mosaic", phase=cast.phase)


def test_every_model_of_jobs_is_registered() -> None:
    models = {model for model in apps.get_models() if issubclass(model, LeasedJob)}
    assert models == {kind.model for kind in jobs.job_kinds()}


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="named evaluations already"):
        jobs.register(EVALUATIONS)


def test_every_kind_has_its_task_and_a_program_that_listens_to_its_queue() -> None:
    listened = {
        queue
        for program in Stack().programs()
        for option, queues in zip(program.command, program.command[1:], strict=False)
        if option == "--queues"
        for queue in queues.split(",")
    }
    app.loader.import_default_modules()
    for kind in jobs.job_kinds():
        assert kind.task in app.tasks
        assert kind.queue in listened


def test_recovery_wakes_a_worker_for_another_kind(
    picture: jobs.JobKind, run: BaselineRun, published: list[tuple[str, dict[str, Any]]]
) -> None:
    recover()

    assert (picture.task, {"picture_id": run.pk}) in published


def test_recovery_counts_what_it_takes_back_of_another_kind(picture: jobs.JobKind, run: BaselineRun) -> None:
    jobs._kinds.pop(BASELINE_RUNS.name)  # they are the same rows
    BaselineRun.objects.claim(run.pk, "tester/1")
    BaselineRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    recover()

    assert Tally.of(EXPIRED_LEASES).counts == {"pictures": {"requeued": 1, "failed": 0}}


def test_metrics_show_another_kind(picture: jobs.JobKind, run: BaselineRun) -> None:
    BaselineRun.objects.update(status="failed", finished_at=timezone.now())

    assert list(queue_sets()["pictures", "picture"]) == [run]
    assert tallies.totals("pictures")["picture failed"]["count"] == 1


def test_its_task_goes_to_its_queue(picture: jobs.JobKind) -> None:
    assert app.amqp.router.route({}, picture.task)["queue"].name == "pictures"


def test_the_doctor_asks_who_listens_to_its_queue(picture: jobs.JobKind) -> None:
    asked = {queue.name: queue for queue in broker.queues()}

    assert asked["pictures"] == broker.Queue("pictures", "pictures stay queued", is_optional=True)
    assert not asked["score"].is_optional


def test_two_kinds_of_a_queue_are_asked_for_once(picture: jobs.JobKind) -> None:
    jobs.register(replace(picture, name="statistics", queue="default", label="statistics"))

    (default,) = [queue for queue in broker.queues() if queue.name == "default"]

    assert default.consequence == "nothing stuck is ever taken back, statistics stay queued"
    assert not default.is_optional


def test_the_names_that_running_sites_have_stored_stay() -> None:
    """Tallies and Prometheus' own history are kept under them."""
    assert {(kind.name, kind.queue, group) for kind in jobs.job_kinds() for group in kind.groups} == {
        ("evaluations", "score", "participant"),
        ("evaluations", "score", "rescore"),
        ("baseline runs", "baseline", "baseline"),
    }


@pytest.mark.django_db
def test_a_bounded_number_is_read_of_a_long_queue() -> None:
    with CaptureQueriesContext(connection) as queries:
        EVALUATIONS.wake(32, expires_s=1)

    assert "LIMIT 32" in queries[0]["sql"]
