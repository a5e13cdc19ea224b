"""Publishing tasks: a hint that may get lost, and that nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from django.db import transaction

from bayerboard.celery import RECONNECT_AT_LEAST_EVERY_S, app
from bayerboard.lib import tasks

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import DjangoCaptureOnCommitCallbacks

pytestmark = pytest.mark.database

Published = list[tuple[str, dict[str, Any]]]


def unreachable(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Publish with the site's own options to a broker that is not there."""
    lonely = Celery("lonely", set_as_current=False)
    lonely.conf.update(
        broker_url=url,
        broker_transport_options=app.conf.broker_transport_options,
        task_publish_retry=app.conf.task_publish_retry,
    )
    monkeypatch.setattr(tasks, "app", lonely)


@pytest.mark.parametrize("kind", ["no socket", "nobody listens"])
def test_a_dead_broker_is_no_error_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    unreachable(monkeypatch, f"redis+socket://{tmp_path}/none.sock" if kind == "no socket" else "redis://127.0.0.1:1/0")
    waits: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", waits.append)

    assert tasks.publish("workers.score.score_next") is False

    assert sum(waits) <= 0.2
    assert "waits in the database" in caplog.text


class HeardEnough(Exception):
    """Ends an attempt that has no end of its own."""


def test_a_worker_looks_for_a_broker_every_few_seconds_however_long_it_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)
    waits: list[float] = []

    def note(error: Exception, wait: float) -> None:
        waits.append(wait)
        if len(waits) == 150:
            raise HeardEnough

    with app.connection_for_write("redis://127.0.0.1:1/0") as connection, pytest.raises(HeardEnough):
        # as Celery's consumer and beat call it
        connection.ensure_connection(note, app.conf.broker_connection_max_retries, callback=lambda: None)
    assert waits == [1, 2, *[RECONNECT_AT_LEAST_EVERY_S] * 148]


def test_tells_when_it_was_sent(published: Published) -> None:
    assert tasks.publish("workers.baseline.run_baseline", run_id=3) is True
    assert published == [("workers.baseline.run_baseline", {"run_id": 3})]


@pytest.mark.django_db
def test_waits_for_the_commit(
    published: Published, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            tasks.publish_on_commit("workers.score.score_next")
        assert published == []

    assert published == [("workers.score.score_next", {})]


@pytest.mark.django_db
def test_a_transaction_that_fails_publishes_nothing(
    published: Published, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        tasks.publish_on_commit("workers.score.score_next")
        transaction.set_rollback(True)

    assert published == []


@pytest.mark.django_db(transaction=True)
def test_no_failure_of_the_hint_is_one_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def crash(name: str, *arguments: object, **options: object) -> None:
        tried.append(name)
        raise ValueError("whatever it is")

    monkeypatch.setattr(tasks, "publish", crash)

    with transaction.atomic():
        tasks.publish_on_commit("workers.score.score_next")

    assert tried == ["workers.score.score_next"]


@pytest.mark.parametrize(
    ("task", "queue"),
    [("workers.score.score_next", "score"), ("workers.baseline.run_baseline", "baseline")],
)
def test_every_task_has_its_queue(task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue
