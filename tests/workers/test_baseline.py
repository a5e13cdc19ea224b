"""Running a baseline on a phase's inputs, in this process."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as site
from django.utils import timezone

from baselines.catalogue import get_method
from baselines.equipment import Equipment, name_of_processor
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.lib.leases import LeaseLost
from bayerboard.lib.storage import object_store
from bayerboard.runs.models import BaselineRun, RunStatus
from bayerboard.submissions.models import Submission
from bayerboard.teams.models import Team
from bayerboard.teams.origin import Origin
from scoring.protocol import load_protocol
from tests import factories
from tests.site.pages import Page
from tests.site.stored import archives, leftovers
from workers.baseline import run_baseline
from workers.progress import Progress
from workers.score import score_next

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from tests.factories import Cast

pytestmark = pytest.mark.database


@pytest.fixture
def cast(db: None, tmp_path: Path) -> Cast:
    """Return the baselines serve tiles of the true size alone."""
    return factories.make_cast(tmp_path, protocol=load_protocol("aim22-s7"))


@pytest.fixture
def run(cast: Cast) -> BaselineRun:
    return BaselineRun.objects.create(method="mosaic", phase=cast.phase)


def after(run: BaselineRun) -> BaselineRun:
    return BaselineRun.objects.get(pk=run.pk)


def test_its_predictions_become_a_submission(cast: Cast, run: BaselineRun) -> None:
    run_baseline(run.pk)

    run = after(run)
    submission = Submission.objects.get()
    assert (run.status, run.submission, run.failure) == (RunStatus.SUBMITTED, submission, "")
    assert (run.images_done, run.images_total, run.lease_until) == (2, 2, None)
    assert submission.is_baseline
    assert submission.submitted_by is None
    assert submission.entry.team.name == get_method("mosaic").title
    assert submission.evaluation.status == Status.QUEUED
    assert leftovers() == []


def test_the_archive_has_every_image_and_a_fact_sheet(cast: Cast, run: BaselineRun) -> None:
    run_baseline(run.pk)

    with object_store().open(Submission.objects.get().archive_key) as stored, zipfile.ZipFile(stored) as archive:
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
    assert names == {"6_0.npy", "6_2.npy", "readme.txt"}


def test_it_is_scored_and_shown_without_a_rank(cast: Cast, run: BaselineRun, tmp_path: Path) -> None:
    run_baseline(run.pk)
    score_next()
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=1)

    page = Page(cast.client("signed_out").get(cast.phase.get_absolute_url()))

    sheet = Submission.objects.get(origin=Origin.BASELINE).fact_sheet()
    assert sheet is not None
    assert sheet.runtime_s is not None
    assert "Mosaic (dummy) baseline" in page.text
    assert page.text.index("Mosaic (dummy)") < page.text.index("Bayer Street")
    assert "no rank" in page.html


def test_neither_dates_nor_quotas_hold_for_it(cast: Cast, run: BaselineRun) -> None:
    type(cast.phase).objects.update(ends_at=timezone.now() - timedelta(days=1), quota_total=0)

    run_baseline(run.pk)

    assert after(run).status == RunStatus.SUBMITTED


def test_a_second_worker_with_the_same_message_does_nothing(cast: Cast, run: BaselineRun) -> None:
    BaselineRun.objects.claim(run.pk, "faster/1")

    run_baseline(run.pk)

    assert (after(run).status, after(run).worker) == (RunStatus.RUNNING, "faster/1")
    assert not Submission.objects.exists()


@pytest.mark.django_db
def test_a_message_for_a_run_that_is_not_there() -> None:
    run_baseline(10**6)

    assert not BaselineRun.objects.exists()
    assert not Submission.objects.exists()


def test_a_finished_run_is_not_run_again(cast: Cast, run: BaselineRun) -> None:
    run_baseline(run.pk)
    run_baseline(run.pk)

    assert Submission.objects.count() == 1
    assert after(run).attempts == 1


# --- What another attempt cannot change ---


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": "nothing"}, "There is no baseline called 'nothing'."),
        ({"method": "x" * 40}, "There is no baseline called"),
    ],
)
def test_an_unknown_method_fails_at_once(cast: Cast, run: BaselineRun, change: dict[str, str], reason: str) -> None:
    BaselineRun.objects.update(**change)

    run_baseline(run.pk)

    assert after(run).status == RunStatus.FAILED
    assert after(run).failure.startswith(reason)


def test_a_protocol_that_no_track_has_fails_at_once(cast: Cast, run: BaselineRun) -> None:
    data = cast.phase.track.protocol_data
    type(cast.phase.track).objects.update(protocol_data={**data, "name": "other"})

    run_baseline(run.pk)

    assert after(run).failure == "mosaic does not serve the protocol other."


def test_a_phase_without_inputs_fails_at_once(cast: Cast, run: BaselineRun) -> None:
    type(cast.phase).objects.update(input_set=None)

    run_baseline(run.pk)

    assert after(run).status == RunStatus.FAILED
    assert "has no inputs to predict from" in after(run).failure


def test_inputs_of_another_size_fail_at_once(db: None, tmp_path: Path) -> None:
    phase = factories.make_phase(tmp_path)
    run = BaselineRun.objects.create(method="mosaic", phase=phase)

    run_baseline(run.pk)

    assert after(run).status == RunStatus.FAILED
    assert "6_0.jpg is 32×32 pixels" in after(run).failure


def test_a_long_reason_fits(cast: Cast, run: BaselineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    BaselineRun.objects.claim(run.pk, "tester/1")

    after(run).give_up(reason="x" * 1000)

    assert after(run).failure == "x" * 300


# --- Our own faults ---


def test_missing_inputs_are_tried_again_then_failed(
    cast: Cast, run: BaselineRun, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert cast.phase.input_set is not None
    object_store().delete(cast.phase.input_set.storage_key)

    for _ in range(settings.MAX_ATTEMPTS):
        assert after(run).status == RunStatus.QUEUED
        run_baseline(run.pk)

    reference = caplog.records[-1].getMessage().rsplit(" ", 1)[-1]
    assert after(run).status == RunStatus.FAILED
    assert after(run).failure == f"Something went wrong on our side (reference {reference})."
    assert caplog.records[-1].exc_info is not None
    assert leftovers() == []


def test_a_lost_claim_stops_the_predictions(
    cast: Cast, run: BaselineRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    show_progress = BaselineRun.show_progress

    def show(run: BaselineRun, done: int, total: int) -> None:
        BaselineRun.objects.filter(pk=run.pk).update(fence=99)
        show_progress(run, done, total)

    monkeypatch.setattr(BaselineRun, "show_progress", show)
    monkeypatch.setattr("workers.baseline.Progress", partial(Progress, every_s=0))

    run_baseline(run.pk)

    assert "the claim is gone" in caplog.text
    assert not Submission.objects.exists()
    assert archives() == leftovers() == []


def test_a_crash_after_the_claim_was_lost_is_logged_and_changes_nothing(
    cast: Cast, run: BaselineRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*arguments: object, **options: object) -> None:
        BaselineRun.objects.filter(pk=run.pk).update(fence=99)
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("workers.baseline.predict", crash)

    run_baseline(run.pk)

    assert after(run).status == RunStatus.RUNNING
    assert "the disk is full" in caplog.text


def test_a_run_that_is_taken_over_after_it_submitted_makes_no_second_submission(
    cast: Cast, run: BaselineRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = BaselineRun.end

    def die(run: BaselineRun, status: RunStatus, **fields: object) -> None:
        raise LeaseLost("the worker was killed here")

    monkeypatch.setattr(BaselineRun, "end", die)
    run_baseline(run.pk)
    monkeypatch.setattr(BaselineRun, "end", end)
    BaselineRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    BaselineRun.objects.recover()

    run_baseline(run.pk)

    assert after(run).submission == Submission.objects.get()
    assert Evaluation.objects.count() == 1
    assert len(archives()) == 1


# --- Its team ---


def test_two_runs_of_a_method_are_one_teams(cast: Cast, run: BaselineRun) -> None:
    run_baseline(run.pk)
    run_baseline(BaselineRun.objects.create(method="mosaic", phase=cast.phase).pk)

    assert Team.objects.filter(kind=Team.Kind.BASELINE).count() == 1
    assert Submission.objects.count() == 2


def test_people_who_had_the_name_first_keep_it(cast: Cast, run: BaselineRun) -> None:
    people = factories.make_team(cast.challenge, get_method("mosaic").title, cast.stranger)

    run_baseline(run.pk)

    team = Submission.objects.get().entry.team
    assert team != people
    assert team.is_baseline
    assert team.name == "Mosaic (dummy) (baseline 1)"


def test_temporary_files_lie_with_the_uploads(cast: Cast, run: BaselineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the storage's own disk: what is predicted is renamed into place, not copied."""
    folders: list[Path] = []

    def crash(method: str, track: str, inputs: Path, output: Path, **options: object) -> None:
        folders.append(output.parent)
        raise RuntimeError("stop here")

    monkeypatch.setattr("workers.baseline.predict", crash)

    run_baseline(run.pk)

    assert folders[0].parent == site.UPLOAD_DIR
    assert not folders[0].exists()


# --- Which worker takes it ---

NO_TORCH, CPU, GPU = Equipment(False, False), Equipment(True, False), Equipment(True, True)


@pytest.fixture
def torch_run(run: BaselineRun, monkeypatch: pytest.MonkeyPatch) -> BaselineRun:
    """Return a run of a method that needs torch, queued a minute ago; it is the mosaic under another flag."""
    flagged = replace(get_method("mosaic"), needs_torch=True)
    monkeypatch.setattr("bayerboard.runs.models.METHODS", [flagged])
    BaselineRun.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
    return run


def try_with(monkeypatch: pytest.MonkeyPatch, equipment: Equipment, run: BaselineRun) -> str:
    monkeypatch.setattr("workers.baseline.equipment", lambda: equipment)
    run_baseline(run.pk)
    return after(run).status


@pytest.mark.parametrize("equipment", [NO_TORCH, CPU])
def test_what_needs_a_gpu_is_left_to_a_worker_that_has_one(
    torch_run: BaselineRun, equipment: Equipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert try_with(monkeypatch, equipment, torch_run) == RunStatus.QUEUED
    assert try_with(monkeypatch, GPU, torch_run) == RunStatus.SUBMITTED


def test_a_worker_without_a_gpu_takes_it_where_the_organiser_allows(
    torch_run: BaselineRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    BaselineRun.objects.update(allows_cpu=True)

    assert try_with(monkeypatch, NO_TORCH, torch_run) == RunStatus.QUEUED
    assert try_with(monkeypatch, CPU, torch_run) == RunStatus.SUBMITTED


def test_a_gpu_comes_first_even_where_it_is_not_needed(torch_run: BaselineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    BaselineRun.objects.update(allows_cpu=True, queued_at=timezone.now())

    assert try_with(monkeypatch, CPU, torch_run) == RunStatus.QUEUED
    assert try_with(monkeypatch, GPU, torch_run) == RunStatus.SUBMITTED


def test_what_needs_no_torch_is_taken_by_any_worker(run: BaselineRun, monkeypatch: pytest.MonkeyPatch) -> None:
    assert try_with(monkeypatch, NO_TORCH, run) == RunStatus.SUBMITTED


def test_what_was_measured_is_kept_with_the_submission(run: BaselineRun) -> None:
    run_baseline(run.pk)

    measurement = Submission.objects.get().measurement
    assert measurement.runtime_s > 0
    assert measurement.device == "cpu"
    assert measurement.device_name == name_of_processor()
