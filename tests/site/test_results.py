"""Storing a result: whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, ImageScores, Status
from bayerboard.leaderboards.models import Standing
from bayerboard.lib.leases import LeaseLost
from bayerboard.rescoring import planning
from bayerboard.results.recording import record_rejection, record_score
from bayerboard.submissions.models import FactSheetRevision
from scoring.factsheet import FactSheet
from scoring.problems import SubmissionRejected, problem
from scoring.report import ImageScore, ScoreReport
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bayerboard.submissions.models import Entry, Submission
    from tests.factories import Cast

pytestmark = pytest.mark.database

SHA256 = "b" * 64
REPORT = ScoreReport(
    protocol="aim22-s7",
    metrics={"psnr": 30.5, "ssim": 0.5},
    images=(ImageScore("6_0", {"psnr": 30.0, "ssim": 0.4}), ImageScore("6_2", {"psnr": 31.0, "ssim": 0.6})),
    factsheet=FactSheet(runtime_s=0.5, device="cpu", extra_data=True, description="Ours."),
    warnings=(problem("readme-missing", file="a.zip"),),
)
REJECTION = SubmissionRejected(
    [problem("image-missing", file="6_2.npy")], [problem("readme-missing", file="a.zip")], FactSheet(runtime_s=0.1)
)


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


@pytest.fixture
def evaluation(submission: Submission) -> Evaluation:
    found = Evaluation.objects.claim_next("tester/1")
    assert found is not None
    return found


def assert_nothing_written(submission: Submission) -> None:
    submission.refresh_from_db()
    evaluation = submission.evaluation
    assert (evaluation.metrics, evaluation.errors, evaluation.warnings, evaluation.provenance) == ({}, [], [], {})
    assert submission.archive_sha256 == ""
    assert not ImageScores.objects.exists()
    assert not FactSheetRevision.objects.exists()
    assert not Standing.objects.exists()


def test_a_score_is_stored_with_all_that_belongs_to_it(submission: Submission, evaluation: Evaluation) -> None:
    record_score(evaluation, REPORT, SHA256, {"worker": "tester/1"})

    submission.refresh_from_db()
    stored, sheet = submission.evaluation, submission.fact_sheet()
    assert stored.status == Status.SCORED
    assert stored.metrics == {"psnr": 30.5, "ssim": 0.5}
    assert [warning["code"] for warning in stored.warnings] == ["readme-missing"]
    assert stored.provenance == {"worker": "tester/1"}
    assert (stored.images_done, stored.images_total, stored.lease_until) == (2, 2, None)
    assert stored.finished_at is not None
    assert [(row.name, row.values["psnr"]) for row in stored.image_rows()] == [("6_0", 30.0), ("6_2", 31.0)]
    assert submission.archive_sha256 == SHA256
    assert sheet is not None
    assert (sheet.runtime_s, sheet.device, sheet.extra_data, sheet.description) == (0.5, "cpu", True, "Ours.")
    assert Standing.objects.get().metrics == stored.metrics


def test_each_evaluation_has_its_own_images(
    cast: Cast, submission: Submission, evaluation: Evaluation, tmp_path: Path
) -> None:
    record_score(evaluation, REPORT, SHA256, {})
    later = factories.make_submission(cast.phase, cast.team, tmp_path).evaluation
    ImageScores.objects.create(evaluation=later, names=["6_9"], values={"psnr": [40.0], "ssim": [0.9]})

    assert [row.name for row in later.image_rows()] == ["6_9"]


@pytest.mark.parametrize(
    "step",
    [
        "bayerboard.results.recording.Score.objects.record",
        "bayerboard.results.recording.ImageScores.objects.create",
        "bayerboard.submissions.models.Submission.record_archive",
        "bayerboard.results.recording.Standing.objects.refresh",
    ],
)
def test_a_crash_at_any_step_leaves_nothing(
    submission: Submission, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def crash(*arguments: object, **options: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(step, crash)

    with pytest.raises(RuntimeError, match="disk"):
        record_score(evaluation, REPORT, SHA256, {"worker": "tester/1"})

    assert submission.evaluation.status == Status.RUNNING
    assert_nothing_written(submission)


def test_after_the_lease_nothing_is_written(submission: Submission, evaluation: Evaluation) -> None:
    Evaluation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    with pytest.raises(LeaseLost):
        record_score(evaluation, REPORT, SHA256, {"worker": "tester/1"})

    assert_nothing_written(submission)


@pytest.mark.parametrize(
    "write",
    [
        lambda evaluation: record_score(evaluation, REPORT, SHA256, {}),
        lambda evaluation: record_rejection(evaluation, REJECTION, SHA256, {}),
    ],
    ids=["score", "rejection"],
)
def test_a_late_twin_writes_nothing(
    submission: Submission, evaluation: Evaluation, write: Callable[[Evaluation], None]
) -> None:
    Evaluation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    Evaluation.objects.recover()
    assert Evaluation.objects.claim_next("tester/2") is not None

    with pytest.raises(LeaseLost):
        write(evaluation)

    assert submission.evaluation.worker == "tester/2"
    assert_nothing_written(submission)


def test_a_second_result_changes_nothing(submission: Submission, evaluation: Evaluation) -> None:
    record_score(evaluation, REPORT, SHA256, {"worker": "first"})

    with pytest.raises(LeaseLost):
        record_rejection(evaluation, REJECTION, "c" * 64, {"worker": "second"})

    submission.refresh_from_db()
    assert submission.evaluation.status == Status.SCORED
    assert submission.archive_sha256 == SHA256


def test_after_a_cancel_nothing_is_written(submission: Submission, evaluation: Evaluation) -> None:
    submission.evaluation.cancel()

    with pytest.raises(LeaseLost):
        record_score(evaluation, REPORT, SHA256, {})

    assert submission.evaluation.status == Status.CANCELLED
    assert_nothing_written(submission)


def test_a_rejection_keeps_why_and_the_fact_sheet(submission: Submission, evaluation: Evaluation) -> None:
    record_rejection(evaluation, REJECTION, SHA256, {"worker": "tester/1"})

    submission.refresh_from_db()
    stored, sheet = submission.evaluation, submission.fact_sheet()
    assert stored.status == Status.REJECTED
    assert [error["code"] for error in stored.errors] == ["image-missing"]
    assert [warning["code"] for warning in stored.warnings] == ["readme-missing"]
    assert stored.metrics == {}
    assert submission.archive_sha256 == SHA256
    assert sheet is not None
    assert sheet.runtime_s == 0.1


def test_the_fact_sheet_of_the_archive_is_stored_once(
    cast: Cast, submission: Submission, evaluation: Evaluation, tmp_path: Path
) -> None:
    record_score(evaluation, REPORT, SHA256, {})
    submission.fact_sheets.create(runtime_s=0.25)
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()

    factories.record(Evaluation.objects.create(submission=submission, scoring_version=version), psnr=30)

    sheet = submission.fact_sheet()
    assert sheet is not None
    assert sheet.runtime_s == 0.25
    assert submission.fact_sheets.count() == 2


@pytest.mark.parametrize("outcome", ["score", "rejection"])
def test_what_a_rescore_staged_leaves_the_published_standing_alone(
    submission: Submission, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    factories.record(submission.evaluation, psnr=31)
    planning.start(cast.phase.path, planning.plan([cast.phase], None), "")
    staged = Evaluation.objects.claim_next("tester/1")
    assert staged is not None
    assert staged.is_staged
    refreshed: list[Entry] = []
    monkeypatch.setattr("bayerboard.results.recording.Standing.objects.refresh", refreshed.append)

    if outcome == "score":
        record_score(staged, REPORT, SHA256, {})
    else:
        record_rejection(staged, REJECTION, SHA256, {})

    assert refreshed == []
    assert Standing.objects.get().metrics["psnr"] == 31


def test_a_result_under_the_published_version_refreshes_the_standing(
    submission: Submission, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed: list[Entry] = []
    monkeypatch.setattr("bayerboard.results.recording.Standing.objects.refresh", refreshed.append)

    record_score(evaluation, REPORT, SHA256, {})

    assert refreshed == [submission.entry]


def test_the_declared_operands_of_a_formula_are_kept(submission: Submission, evaluation: Evaluation) -> None:
    record_score(evaluation, replace(REPORT, operands={"runtime_s": 0.02}), SHA256, {})

    assert submission.evaluation.operands == {"runtime_s": 0.02}


def test_without_a_readme_there_is_no_fact_sheet(submission: Submission, evaluation: Evaluation) -> None:
    record_score(evaluation, ScoreReport("aim22-s7", REPORT.metrics, REPORT.images, None, ()), SHA256, {})

    assert submission.fact_sheet() is None
