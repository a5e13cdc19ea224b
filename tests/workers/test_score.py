"""Scoring a queued submission, in this process."""

from __future__ import annotations

import hashlib
import platform
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pytest

import scoring
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.leaderboards.models import Standing
from bayerboard.lib.storage import object_store
from bayerboard.submissions.submit import quota_of
from scoring.protocol import load_protocol
from scoring.reference import Reference
from tests import factories
from tests.site.pages import Page
from tests.workers import formulas
from workers.names import worker_name
from workers.progress import Progress
from workers.score import score_next

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.submissions.models import Submission
    from scoring.images import Decoded
    from tests.factories import Cast

pytestmark = [pytest.mark.database, pytest.mark.django_db]
TOLERANCE = 1e-6


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path, archive_name="predictions.zip")


@pytest.mark.parametrize("name", ["aim22-s7", "aim22-p20"])
def test_scores_are_what_the_formulas_give(tmp_path: Path, name: str) -> None:
    phase = factories.make_phase(tmp_path, protocol=load_protocol(name))
    truth = factories.reference_images(phase)
    sent = {
        "6_0": factories.degrade(truth["6_0"], 25, seed=1),
        "6_2": np.roll(truth["6_2"], 1, axis=1),
    }
    archive = factories.write_zip(tmp_path / "sent.zip", sent)
    team = factories.make_team(phase.track.challenge)
    submission = factories.make_submission(phase, team, tmp_path, archive=archive)

    score_next()

    evaluation = submission.evaluation
    assert evaluation.status == Status.SCORED
    psnr = {stem: formulas.psnr_db(truth[stem], image) for stem, image in sent.items()}
    ssim = {stem: formulas.ssim(truth[stem], image) for stem, image in sent.items()}
    for row in evaluation.image_rows():
        assert row.values["psnr"] == pytest.approx(psnr[row.name], abs=TOLERANCE, rel=0)
        assert row.values["ssim"] == pytest.approx(ssim[row.name], abs=TOLERANCE, rel=0)
    assert evaluation.metrics["psnr"] == pytest.approx(np.mean(list(psnr.values())), abs=TOLERANCE, rel=0)
    assert evaluation.metrics["ssim"] == pytest.approx(np.mean(list(ssim.values())), abs=TOLERANCE, rel=0)


def test_the_references_themselves_score_999(cast: Cast, tmp_path: Path) -> None:
    archive = factories.write_zip(tmp_path / "perfect.zip", factories.reference_images(cast.phase))
    submission = factories.make_submission(cast.phase, cast.team, tmp_path, archive=archive)

    score_next()

    assert submission.evaluation.metrics == {"psnr": 999.0, "ssim": 1.0}


def test_rows_are_in_the_references_order(tmp_path: Path) -> None:
    phase = factories.make_phase(tmp_path, names=("6_10", "6_2", "10_0"))
    submission = factories.make_submission(phase, factories.make_team(phase.track.challenge), tmp_path)

    score_next()

    assert [row.name for row in submission.evaluation.image_rows()] == ["6_2", "6_10", "10_0"]


def test_the_score_stands_on_the_board(cast: Cast, submission: Submission) -> None:
    score_next()

    page = Page(cast.client("signed_out").get(cast.phase.get_absolute_url()))
    assert Standing.objects.get().evaluation == submission.evaluation
    assert f"{submission.evaluation.metrics['psnr']:.2f}" in page.text


def test_provenance_is_complete(submission: Submission) -> None:
    with object_store().open(submission.archive_key) as stored:
        archive_sha256 = hashlib.sha256(stored.read()).hexdigest()

    score_next()

    submission.refresh_from_db()
    evaluation = submission.evaluation
    scoring_version = evaluation.scoring_version
    provenance = dict(evaluation.provenance)
    assert submission.archive_sha256 == archive_sha256
    assert provenance.pop("scored_at")
    assert provenance.pop("host")
    assert provenance == {
        "archive_sha256": archive_sha256,
        "reference_version": 1,
        "reference_manifest_sha256": scoring_version.reference_set.manifest_sha256,
        "protocol": "aim22-s7",
        "protocol_sha256": scoring_version.protocol.digest,
        "scorer_version": scoring.SCORER_VERSION,
        "bayerboard": scoring.__version__,
        "libraries": {name: version(name) for name in ("numpy", "numba", "llvmlite", "scipy", "isal")},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "worker": worker_name(),
        "attempt": 1,
    }


def test_the_fact_sheet_is_stored_as_declared(submission: Submission) -> None:
    score_next()

    sheet = submission.fact_sheet()
    assert sheet is not None
    assert (sheet.runtime_s, sheet.device, sheet.extra_data, sheet.description) == (0.5, "gpu", False, "a test")


@pytest.mark.parametrize(
    "readme",
    [None, "no colons here", "\x00\x01\x02", "runtime : \ud800".encode("utf-8", "surrogatepass").decode("latin-1")],
)
def test_a_readme_that_says_nothing_is_a_warning(cast: Cast, tmp_path: Path, readme: str | None) -> None:
    images = factories.reference_images(cast.phase)
    archive = factories.write_zip(tmp_path / "sent.zip", images, readme)
    submission = factories.make_submission(cast.phase, cast.team, tmp_path, archive=archive)

    score_next()

    assert submission.evaluation.status == Status.SCORED
    assert [warning["code"] for warning in submission.evaluation.warnings]


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_either_byte_order_and_fortran_order_are_fine(cast: Cast, tmp_path: Path, dtype: str, order: str) -> None:
    images = {
        name: np.array(image, dtype=dtype, order="F" if order == "F" else "C")
        for name, image in factories.reference_images(cast.phase).items()
    }
    archive = factories.write_zip(tmp_path / "sent.zip", images)
    submission = factories.make_submission(cast.phase, cast.team, tmp_path, archive=archive)

    score_next()

    assert submission.evaluation.metrics["psnr"] == 999.0


def test_without_work_nothing_happens(published: list[object]) -> None:
    score_next()

    assert published == []


def test_each_call_scores_one(cast: Cast, tmp_path: Path) -> None:
    for _ in range(2):
        factories.make_submission(cast.phase, cast.team, tmp_path)

    score_next()

    assert sorted(Evaluation.objects.values_list("status", flat=True)) == ["queued", "scored"]


def test_a_reference_is_decoded_once(
    cast: Cast, submission: Submission, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = Reference.decode

    def decode_and_count(reference: Reference, name: str) -> Decoded:
        decoded.append(name)
        return decode(reference, name)

    monkeypatch.setattr(Reference, "decode", decode_and_count)
    score_next()
    again = factories.make_submission(cast.phase, cast.team, tmp_path)

    score_next()

    assert sorted(decoded) == sorted(spec.name for spec in cast.phase.manifest.files)
    assert again.evaluation.status == Status.SCORED
    assert again.evaluation.metrics == submission.evaluation.metrics
    assert settings.REFERENCE_CACHE_DIR.stat().st_mode & 0o777 == 0o700


def test_without_room_nothing_is_kept(submission: Submission, settings: Settings) -> None:
    settings.REFERENCE_CACHE_BYTES = 0

    score_next()

    assert submission.evaluation.status == Status.SCORED
    assert not settings.REFERENCE_CACHE_DIR.exists()


# --- Our own faults ---


def test_a_missing_archive_is_tried_again_then_failed(
    submission: Submission, settings: Settings, caplog: pytest.LogCaptureFixture, cast: Cast
) -> None:
    object_store().delete(submission.archive_key)

    for attempt in range(1, settings.MAX_ATTEMPTS + 1):
        assert submission.evaluation.status == Status.QUEUED
        score_next()
        assert submission.evaluation.attempts == attempt

    evaluation = submission.evaluation
    record = caplog.records[-1]
    reference = record.getMessage().rsplit(" ", 1)[-1]
    assert evaluation.status == Status.FAILED
    assert f"(reference {reference})" in evaluation.failure
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], FileNotFoundError)
    assert submission.archive_key not in Page(cast.client("participant").get(submission.get_absolute_url())).html
    assert quota_of(cast.phase, cast.team).used_total == 0


def test_a_missing_reference_is_no_fault_of_the_archive(cast: Cast, submission: Submission) -> None:
    version = cast.phase.published_version
    assert version is not None
    object_store().delete(version.reference_set.storage_key)

    score_next()

    assert (submission.evaluation.status, submission.evaluation.errors) == (Status.QUEUED, [])


def test_a_damaged_reference_is_no_fault_of_the_archive(cast: Cast, submission: Submission, tmp_path: Path) -> None:
    version = cast.phase.published_version
    assert version is not None
    (tmp_path / "objects" / version.reference_set.storage_key).write_bytes(b"no zip")

    score_next()

    assert submission.evaluation.status == Status.QUEUED


def test_nothing_is_shown_of_a_score_that_could_not_be_stored(
    cast: Cast, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object, **options: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("bayerboard.results.recording.Standing.objects.refresh", crash)

    score_next()

    assert submission.evaluation.status == Status.QUEUED
    assert submission.evaluation.metrics == {}
    assert "dB" not in Page(cast.client("participant").get(submission.get_absolute_url())).text


# --- Stopping ---


def test_a_cancelled_submission_stops_at_the_next_image(
    submission: Submission, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []

    def show(evaluation: Evaluation, done: int, total: int) -> None:
        seen.append(done)
        submission.evaluation.cancel()
        show_progress(evaluation, done, total)

    show_progress = Evaluation.show_progress
    monkeypatch.setattr(Evaluation, "show_progress", show)
    monkeypatch.setattr("workers.score.Progress", partial(Progress, every_s=0))

    score_next()

    submission.refresh_from_db()
    assert seen == [1]
    assert submission.evaluation.status == Status.CANCELLED
    assert (submission.evaluation.metrics, submission.archive_sha256) == ({}, "")
    assert "the claim is gone" in caplog.text


def test_a_worker_that_lost_its_claim_writes_nothing(submission: Submission, monkeypatch: pytest.MonkeyPatch) -> None:
    def take_over(evaluation: Evaluation, done: int, total: int) -> None:
        Evaluation.objects.filter(pk=evaluation.pk).update(fence=evaluation.fence + 1, worker="other")

    monkeypatch.setattr(Evaluation, "show_progress", take_over)

    score_next()

    evaluation = submission.evaluation
    assert (evaluation.status, evaluation.worker, evaluation.metrics) == (Status.RUNNING, "other", {})


def test_progress_is_written_while_it_runs(submission: Submission, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    show_progress = Evaluation.show_progress

    def show(evaluation: Evaluation, done: int, total: int) -> None:
        show_progress(evaluation, done, total)
        stored = Evaluation.objects.get(pk=evaluation.pk)
        seen.append((stored.images_done, stored.images_total))

    monkeypatch.setattr(Evaluation, "show_progress", show)
    monkeypatch.setattr("workers.score.Progress", partial(Progress, every_s=0))

    score_next()

    assert seen == [(1, 2), (2, 2)]
