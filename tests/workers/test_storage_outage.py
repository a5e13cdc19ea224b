"""A storage that fails costs no attempt: jobs wait in the queue, and go on by themselves when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baselines.predict import PredictionReport
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.lib.storage.s3 import S3Store
from bayerboard.runs.models import BaselineRun, RunStatus
from bayerboard.submissions.submit import quota_of
from tests import factories
from tests.fault_proxy import FaultProxy
from tests.site.pages import Page
from workers.baseline import run_baseline
from workers.recover import recover
from workers.score import score_next

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.lib.storage.s3_address import S3Address
    from bayerboard.submissions.models import Submission
    from tests.factories import Cast
    from tests.s3_server import S3Server

pytestmark = pytest.mark.database


@pytest.fixture
def submission(bucket: S3Address, cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


@pytest.fixture
def proxy(s3_server: S3Server, bucket: S3Address, settings: Settings, submission: Submission) -> Iterator[FaultProxy]:
    """From here on the workers reach the bucket through this."""
    with FaultProxy(s3_server.port) as proxy:
        settings.S3 = s3_server.address(bucket.bucket, endpoint_url=proxy.endpoint_url)
        yield proxy


def test_an_archive_in_a_bucket_is_scored(submission: Submission) -> None:
    score_next()

    assert submission.evaluation.status == Status.SCORED


@pytest.mark.parametrize("fault", ["error", "lost"])
def test_a_job_outlives_more_failures_than_it_has_attempts(
    proxy: FaultProxy, submission: Submission, cast: Cast, settings: Settings, fault: str
) -> None:
    proxy.fault = fault  # type: ignore[assignment]
    for _ in range(settings.MAX_ATTEMPTS + 1):
        score_next()
        evaluation = submission.evaluation
        assert (evaluation.status, evaluation.attempts, evaluation.worker) == (Status.QUEUED, 0, "")

    proxy.fault = ""
    score_next()

    assert submission.evaluation.status == Status.SCORED
    assert submission.evaluation.failure == ""
    assert quota_of(cast.phase, cast.team).used_total == 1


def test_the_page_says_what_it_waits_for(proxy: FaultProxy, submission: Submission, cast: Cast) -> None:
    proxy.fault = "error"
    score_next()

    page = Page(cast.client("participant").get(submission.get_absolute_url()))

    assert "The storage does not answer at the moment. It is tried again by itself" in page.text


def test_beat_wakes_a_worker_for_it(
    proxy: FaultProxy, submission: Submission, published: list[tuple[str, object]]
) -> None:
    proxy.fault = "error"
    score_next()
    assert published == []  # not at once: that is the pause between two tries

    recover()

    assert len(published) == 1


def test_an_outage_that_begins_in_the_middle_of_a_download(proxy: FaultProxy, submission: Submission) -> None:
    proxy.fault, proxy.when = "cut", lambda method, path: method == "GET"

    score_next()

    assert (submission.evaluation.status, submission.evaluation.attempts) == (Status.QUEUED, 0)
    assert submission.evaluation.errors == []


def test_a_slow_download_keeps_the_lease(
    submission: Submission, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    shown: list[tuple[int, int]] = []
    show_progress = Evaluation.show_progress

    def show(evaluation: Evaluation, done: int, total: int) -> None:
        shown.append((done, total))
        show_progress(evaluation, done, total)

    monkeypatch.setattr(Evaluation, "show_progress", show)

    score_next()

    assert shown[0] == (0, 2)  # while the archive arrived, before the first image


def test_a_job_that_was_cancelled_meanwhile_stays_cancelled(
    proxy: FaultProxy, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.fault = "error"

    def cancel_first(evaluation: Evaluation) -> None:
        submission.evaluation.cancel()
        give_back(evaluation)

    give_back = Evaluation.give_back
    monkeypatch.setattr(Evaluation, "give_back", cancel_first)

    score_next()

    assert submission.evaluation.status == Status.CANCELLED


def test_a_baseline_waits_as_well(
    proxy: FaultProxy, cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    run = BaselineRun.objects.create(method="mosaic", phase=cast.phase)
    predicted: list[Path] = []
    monkeypatch.setattr("workers.baseline.predict", lambda *arguments, **options: predicted.append(arguments[2]))
    monkeypatch.setattr("workers.baseline.TRACKS", {"s7": type("Track", (), {"protocol": "aim22-s7"})})
    proxy.fault = "error"

    for _ in range(settings.MAX_ATTEMPTS + 1):
        run_baseline(run.pk)

    run.refresh_from_db()
    assert (run.status, run.attempts) == (RunStatus.QUEUED, 0)
    assert predicted == []


def test_a_prediction_that_cannot_be_stored_waits_as_well(
    submission: Submission, cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = BaselineRun.objects.create(method="mosaic", phase=cast.phase)

    def predict(method: str, track: str, inputs: Path, output: Path, **options: object) -> PredictionReport:
        factories.write_predictions(cast.phase, output)
        return PredictionReport(2, 0.1, "cpu", "a processor", 0, 0, extra_data=False)

    monkeypatch.setattr("workers.baseline.predict", predict)
    monkeypatch.setattr("workers.baseline.TRACKS", {"s7": type("Track", (), {"protocol": "aim22-s7"})})
    with monkeypatch.context() as patch:
        patch.setattr(S3Store, "size_bytes", lambda store, key: -1)  # it did not arrive whole
        run_baseline(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED

    run_baseline(run.pk)

    run.refresh_from_db()
    assert run.status == RunStatus.SUBMITTED
