"""What Prometheus reads."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

import scoring
from bayerboard.evaluations.models import EVALUATIONS, Evaluation
from bayerboard.mails.models import Mail
from bayerboard.operations import tallies
from bayerboard.operations.metrics import registry
from bayerboard.operations.models import Tally, add
from bayerboard.runs.models import BaselineRun
from bayerboard.submissions.models import Submission
from bayerboard.submissions.trials import delete_trial
from bayerboard.teams.origin import Origin
from tests import factories
from workers.recover import recover

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.factories import Cast

TOKEN = "a-token-of-some-length"
PARTICIPANT = {"queue": "score", "kind": "participant"}
SCORED = {"kind": "participant", "status": "scored"}


def samples() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every value of a scrape by name and labels."""
    families = text_string_to_metric_families(generate_latest(registry()).decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(name: str, labels: dict[str, str] | None = None) -> float:
    return samples()[f"bayerboard_{name}", frozenset((labels or {}).items())]


def age(minutes: float) -> None:
    """Let everything that happened so far have happened earlier."""
    earlier = timedelta(minutes=minutes)
    for evaluation in Evaluation.objects.all():
        Evaluation.objects.filter(pk=evaluation.pk).update(
            queued_at=evaluation.queued_at - earlier,
            started_at=evaluation.started_at and evaluation.started_at - earlier,
            finished_at=evaluation.finished_at and evaluation.finished_at - earlier,
        )
    for submission in Submission.objects.all():
        Submission.objects.filter(pk=submission.pk).update(submitted_at=submission.submitted_at - earlier)


@pytest.mark.django_db
def test_an_empty_site_has_metrics_too() -> None:
    assert value("info", {"version": scoring.__version__}) == 1
    assert value("queue_depth", PARTICIPANT) == 0
    assert value("queue_oldest_age_seconds", PARTICIPANT) == 0
    assert value("beat_last_round_timestamp_seconds") == 0
    assert value("images_scored_total") == 0
    assert value("submissions_total") == 0


def test_tells_how_many_wait_and_how_long(cast: Cast, tmp_path: Path) -> None:
    for _ in range(2):
        factories.make_submission(cast.phase, cast.team, tmp_path)
    age(minutes=5)
    BaselineRun.objects.create(method="mosaic", phase=cast.phase)

    assert value("queue_depth", PARTICIPANT) == 2
    assert 300 <= value("queue_oldest_age_seconds", PARTICIPANT) < 400
    assert value("queue_depth", {"queue": "score", "kind": "rescore"}) == 0
    assert value("queue_depth", {"queue": "baseline", "kind": "baseline"}) == 1


@pytest.mark.django_db
def test_tells_how_many_mails_wait_and_failed() -> None:
    now = timezone.now()
    for state, minutes in (("pending", 5), ("pending", 1), ("failed", 9), ("sent", 9)):
        Mail.objects.create(
            kind="notice",
            priority=50,
            address="a@example.org",
            state=state,
            created_at=now - timedelta(minutes=minutes),
        )

    assert (value("mails_pending"), value("mails_failed")) == (2, 1)
    assert 300 <= value("mails_oldest_age_seconds") < 540


def test_tells_what_is_being_done_and_by_whom_it_is_not(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    assert Evaluation.objects.claim(submission.evaluation.pk, "here/1")
    assert (value("running", PARTICIPANT), value("leases_expired", PARTICIPANT)) == (1, 0)

    Evaluation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert value("leases_expired", PARTICIPANT) == 1


def test_counts_what_is_over_with_its_images_and_bytes(cast: Cast, tmp_path: Path) -> None:
    sent = [factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30) for _ in range(2)]
    age(minutes=1)

    assert value("finished_total", SCORED) == 2
    assert value("images_scored_total") == 2 * len(factories.NAMES)
    assert value("images_per_second") == pytest.approx(4 / 300)
    assert value("submissions_total") == 2
    assert value("submission_bytes_total") == sum(one.archive_size_bytes for one in sent)
    assert value("retries_total", SCORED) == 0


def test_trials_are_not_counted_since_a_count_must_not_fall(cast: Cast, tmp_path: Path) -> None:
    trial = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30, origin=Origin.TRIAL, user=cast.organiser)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    counted = [value("finished_total", SCORED), value("submissions_total"), value("images_scored_total")]
    delete_trial(trial, cast.organiser)

    assert counted == [1, 1, len(factories.NAMES)]
    assert [value("finished_total", SCORED), value("submissions_total"), value("images_scored_total")] == counted


def test_the_time_in_each_state_is_a_histogram(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    end = timezone.now()
    Evaluation.objects.filter(submission=submission).update(
        queued_at=end - timedelta(seconds=50), started_at=end - timedelta(seconds=10), finished_at=end
    )

    assert value("queued_seconds_sum", SCORED) == 40
    assert value("queued_seconds_bucket", {**SCORED, "le": "15.0"}) == 0
    assert value("queued_seconds_bucket", {**SCORED, "le": "60.0"}) == 1
    assert value("queued_seconds_count", SCORED) == 1
    assert value("running_seconds_sum", SCORED) == 10
    assert value("running_seconds_bucket", {**SCORED, "le": "5.0"}) == 0
    assert value("running_seconds_bucket", {**SCORED, "le": "15.0"}) == 1


def test_what_was_cancelled_before_a_claim_ran_for_no_time(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path).evaluation.cancel()
    cancelled = {"kind": "participant", "status": "cancelled"}

    assert value("finished_total", cancelled) == 1
    assert value("running_seconds_count", cancelled) == 0


def test_a_worker_that_fell_silent_is_counted_once(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    assert Evaluation.objects.claim(submission.evaluation.pk, "here/1")
    Evaluation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    recover()
    recover()

    assert value("lease_takeovers_total", {"queue": "score", "outcome": "requeued"}) == 1
    factories.record(submission.evaluation, psnr=30)
    assert value("retries_total", SCORED) == 1


@pytest.mark.django_db
def test_beats_round_is_a_sign_of_life() -> None:
    before = timezone.now().timestamp()

    recover()

    assert value("beat_last_round_timestamp_seconds") >= before - 1


def test_what_moves_into_the_tally_changes_no_value(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    age(minutes=30)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)
    before = {key: number for key, number in samples().items() if key[0] != "bayerboard_queue_oldest_age_seconds"}

    tallies.advance()

    assert Tally.of("evaluations").counts["participant scored"]["count"] == 1
    after = samples()
    assert {key: after[key] for key in before} == pytest.approx(before)


def test_two_that_advance_at_once_count_once(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    first, second = Tally.of("evaluations"), Tally.of("evaluations")
    until = timezone.now()
    counts = tallies.finished_jobs(EVALUATIONS, None, until)

    assert first.advance(until, counts)
    assert not second.advance(until, counts)
    assert value("finished_total", SCORED) == 1


def test_a_tally_that_was_just_advanced_is_left_alone(cast: Cast) -> None:
    tallies.advance()
    with CaptureQueriesContext(connection) as queries:
        tallies.advance()

    assert len(queries) == len(tallies.sources())


def test_counts_are_added_field_by_field() -> None:
    assert add({"a": {"x": 1}}, {"a": {"x": 2, "y": 3}, "b": {"x": 4}}) == {"a": {"x": 3, "y": 3}, "b": {"x": 4}}


def test_a_scrape_reads_no_table_from_end_to_end(cast: Cast, tmp_path: Path) -> None:
    """Its cost does not grow with what the site holds: every query of a table that grows uses an index."""
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    age(minutes=30)
    tallies.advance()
    with CaptureQueriesContext(connection) as queries:
        samples()

    assert len(queries) < 25
    plans = [plan_of(query["sql"]) for query in queries.captured_queries]
    growing = ("evaluations_", "submissions_", "mails_")
    scans = [f"{scan} {table}" for table in growing for scan in ("SCAN", "Seq Scan on")]
    assert [line for lines in plans for line in lines if any(scan in line for scan in scans)] == []


def plan_of(sql: str) -> list[str]:
    """Return how the database would answer a query."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table as small as a test's is read from end to end unless that is forbidden.
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {sql}")
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [str(row[-1]) for row in rows]


# --- Who may read them --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_token_opens_the_page(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN

    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert b"bayerboard_queue_depth{" in response.content


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer ü"])
def test_nothing_else_does(settings: Settings, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN

    response = Client().get("/metrics", headers={"Authorization": header})

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_without_a_token_the_page_is_closed(settings: Settings) -> None:
    settings.EMBEDDED = False
    assert Client().get("/metrics").status_code == 404


@pytest.mark.django_db
def test_without_a_token_a_laptop_may_read_its_own(settings: Settings) -> None:
    settings.EMBEDDED = True
    assert Client().get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "request_options",
    [{"REMOTE_ADDR": "192.0.2.7"}, {"REMOTE_ADDR": ""}, {"headers": {"X-Forwarded-For": "127.0.0.1"}}],
)
def test_without_a_token_nobody_else_may(settings: Settings, request_options: dict[str, Any]) -> None:
    settings.EMBEDDED = True
    assert Client().get("/metrics", **request_options).status_code == 404


# --- What is written about them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["docs/operations.md", "deploy/prometheus-rules.yml"])
def test_every_metric_that_is_written_about_exists(cast: Cast, tmp_path: Path, name: str) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    assert Evaluation.objects.claim(submission.evaluation.pk, "here/1")
    Evaluation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    recover()
    factories.record(submission.evaluation, psnr=30)
    shown = {re.sub(r"_(bucket|count|sum|created)$", "", sample) for sample, _ in samples()}

    text = (Path(__file__).resolve().parents[2] / name).read_text()
    written = set(re.findall(r"\bbayerboard_[a-z_]+", text))

    assert len(written) >= 4
    assert written <= shown
