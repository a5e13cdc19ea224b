"""Deleting a trial: who may, when, and all that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.challenges.audit import Act, AuditEntry
from bayerboard.challenges.grants import give_role
from bayerboard.evaluations.models import Evaluation, ImageScores, RescoreRun, Status
from bayerboard.lib.leases import LeaseLost
from bayerboard.lib.storage import StorageUnavailable, object_store
from bayerboard.notices.models import Notice
from bayerboard.operations.sweep import KEPT_ORPHANED, clear_storage
from bayerboard.rescoring import planning, publication
from bayerboard.submissions.models import Entry, FactSheetRevision, Submission
from bayerboard.submissions.trials import delete_trial
from bayerboard.teams.origin import Origin
from bayerboard.uploads.models import Upload
from tests import factories
from tests.site.pages import Page
from tests.site.stored import archives
from tests.site.test_upload_at_once import at_once

if TYPE_CHECKING:
    from pathlib import Path

    from django.db import models
    from pytest_django import DjangoCaptureOnCommitCallbacks

    from tests.factories import Cast

ROWS: tuple[type[models.Model], ...] = (Submission, Evaluation, ImageScores, FactSheetRevision, Notice, Upload)

pytestmark = pytest.mark.database


def make_trial(cast: Cast, folder: Path) -> Submission:
    """Send a trial for the team of a participant, so that there are teammates who must not touch it."""
    return factories.make_submission(cast.phase, cast.team, folder, origin=Origin.TRIAL, user=cast.organiser)


@pytest.fixture
def trial(cast: Cast, tmp_path: Path) -> Submission:
    trial = make_trial(cast, tmp_path)
    factories.record(trial.evaluation, psnr=30)
    return trial


def delete(cast: Cast, submission: Submission, role: str = "organiser", **options: Any) -> Any:
    return cast.client(role, **options).post(f"{submission.get_absolute_url()}delete/")


def counts() -> list[int]:
    return [model._default_manager.count() for model in ROWS]


# --- Who may ---


def test_its_sender_deletes_it_with_all_that_belongs_to_it(
    cast: Cast, trial: Submission, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    assert counts() == [1] * len(ROWS)

    with django_capture_on_commit_callbacks(execute=True):
        response = delete(cast, trial)

    assert response["Location"] == "/submissions/"
    assert counts() == [0] * len(ROWS)
    assert archives() == []


def test_a_sender_who_runs_the_challenge_no_longer_may_delete_it_too(cast: Cast, trial: Submission) -> None:
    cast.challenge.grants.all().delete()

    assert delete(cast, trial).status_code == 302
    assert not Submission.objects.exists()


def test_another_organiser_deletes_it(cast: Cast, trial: Submission) -> None:
    give_role(cast.challenge, cast.stranger, "organiser", by=None)

    assert delete(cast, trial, "stranger").status_code == 302
    assert not Submission.objects.exists()


def test_a_viewer_sees_it_and_does_not_delete_it(cast: Cast, trial: Submission) -> None:
    give_role(cast.challenge, cast.stranger, "viewer", by=cast.organiser)

    assert "Delete" not in Page(cast.client("stranger").get(trial.get_absolute_url())).text
    assert delete(cast, trial, "stranger").status_code == 403
    assert Submission.objects.exists()


@pytest.mark.parametrize("role", ["participant", "teammate", "rival", "stranger"])
def test_for_others_there_is_no_such_submission(cast: Cast, trial: Submission, role: str) -> None:
    assert delete(cast, trial, role).status_code == 404
    assert Submission.objects.exists()


def test_signed_out(cast: Cast, trial: Submission) -> None:
    assert delete(cast, trial, "signed_out")["Location"].startswith("/accounts/login/")
    assert Submission.objects.exists()


def test_takes_no_get(cast: Cast, trial: Submission) -> None:
    assert cast.client("organiser").get(f"{trial.get_absolute_url()}delete/").status_code == 405


def test_needs_the_csrf_token(cast: Cast, trial: Submission) -> None:
    assert delete(cast, trial, enforce_csrf_checks=True).status_code == 403
    assert Submission.objects.exists()


@pytest.mark.parametrize("pk", [0, 10**30])
def test_unknown(cast: Cast, pk: int) -> None:
    assert cast.client("organiser").post(f"/submissions/{pk}/delete/").status_code == 404


def test_the_page_asks_first(cast: Cast, trial: Submission) -> None:
    page = Page(cast.client("organiser").get(trial.get_absolute_url()))

    assert f"{trial.get_absolute_url()}delete/" in page.links
    assert page.html.index("<summary>") < page.html.index("Delete for good")
    assert page.violations == []


def test_twice_is_once(cast: Cast, trial: Submission) -> None:
    assert [delete(cast, trial).status_code for _ in range(2)] == [302, 404]


def test_two_at_once_end_well(cast: Cast, trial: Submission) -> None:
    late = Submission.objects.get(pk=trial.pk)
    delete_trial(trial, cast.organiser)

    delete_trial(late, cast.organiser)

    assert not Submission.objects.exists()
    assert AuditEntry.objects.filter(act=Act.TRIAL_DELETED).count() == 1


# --- What is no trial ---


@pytest.mark.parametrize("origin", [Origin.PARTICIPANT, Origin.IMPORT, Origin.ON_BEHALF])
@pytest.mark.parametrize("role", ["participant", "organiser"])
def test_only_trials_are_deleted(cast: Cast, tmp_path: Path, origin: Origin, role: str) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path, origin=origin, user=cast.participant)
    factories.record(submission.evaluation, psnr=30)

    response = delete(cast, submission, role)

    assert (response.status_code, response.context["refusal"].code) == (409, "not-a-trial")
    assert "not-a-trial" in Page(response).text
    assert "Delete" not in Page(cast.client(role).get(submission.get_absolute_url())).text
    assert Submission.objects.exists()


# --- When ---


@pytest.mark.parametrize("status", [status for status in Status if status != Status.RUNNING])
def test_in_every_status_but_one(cast: Cast, tmp_path: Path, status: Status) -> None:
    trial = make_trial(cast, tmp_path)
    Evaluation.objects.update(status=status)

    assert delete(cast, trial).status_code == 302
    assert not Evaluation.objects.exists()


def test_not_while_a_worker_scores_it(cast: Cast, tmp_path: Path) -> None:
    trial = make_trial(cast, tmp_path)
    assert Evaluation.objects.claim_next("tester/1")

    response = delete(cast, trial)

    assert (response.status_code, response.context["refusal"].code) == (409, "trial-running")
    assert trial.evaluation.status == Status.RUNNING


def test_a_refusal_leaves_what_waits_in_the_queue(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    run = planning.start(cast.phase.path, planning.plan([cast.phase], None), "a test")
    staged = Evaluation.objects.get(scoring_version__run=run)
    Evaluation.objects.filter(pk=trial.evaluation.pk).update(status=Status.RUNNING)

    assert delete(cast, trial).status_code == 409

    staged.refresh_from_db()
    assert staged.status == Status.QUEUED


def test_not_while_a_rescore_scores_it(cast: Cast, trial: Submission) -> None:
    run = planning.start(cast.phase.path, planning.plan([cast.phase], None), "a test")
    assert Evaluation.objects.claim(Evaluation.objects.get(scoring_version__run=run).pk, "tester/1")

    assert delete(cast, trial).context["refusal"].code == "trial-running"


def test_a_worker_that_comes_late_finds_nothing(cast: Cast, tmp_path: Path) -> None:
    trial = make_trial(cast, tmp_path)
    claimed = Evaluation.objects.claim_next("tester/1")
    assert claimed is not None
    Evaluation.objects.update(status=Status.QUEUED)  # its lease ran out
    delete(cast, trial)

    with pytest.raises(LeaseLost):
        claimed.show_progress(1, 2)
    assert Evaluation.objects.claim_next("tester/2") is None


# --- What is left ---


def test_a_rescore_is_published_without_it(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    ours = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    cast.phase.refresh_from_db()
    run = planning.start(cast.phase.path, planning.plan([cast.phase], None), "a test")

    delete(cast, trial)
    factories.record(Evaluation.objects.get(scoring_version__run=run), psnr=29)
    publication.publish(run)

    assert RescoreRun.objects.get().state == RescoreRun.State.PUBLISHED
    assert Submission.objects.get() == ours
    assert Submission.objects.get().evaluation.metrics["psnr"] == 29


def test_others_of_its_team_stay(cast: Cast, tmp_path: Path, trial: Submission) -> None:
    ours = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    delete(cast, trial)

    assert Submission.objects.get() == ours
    assert Entry.objects.get() == ours.entry
    assert object_store().size_bytes(ours.archive_key) == ours.archive_size_bytes


def test_the_sweep_removes_an_archive_that_the_storage_kept(
    cast: Cast,
    trial: Submission,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def fail(*arguments: object) -> None:
        raise StorageUnavailable("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(type(object_store()), "delete", fail)
        with django_capture_on_commit_callbacks(execute=True):
            assert delete(cast, trial).status_code == 302
    assert len(archives()) == 1

    assert clear_storage(timezone.now() + 2 * KEPT_ORPHANED)[0] == 1
    assert archives() == []


@pytest.mark.django_db(transaction=True)
def test_a_claim_at_the_same_moment_is_before_or_after_it(cast: Cast, tmp_path: Path) -> None:
    trial = make_trial(cast, tmp_path)

    claimed, answer = at_once(
        lambda: Evaluation.objects.claim_next("tester/1") is not None, lambda: delete(cast, trial).status_code
    )

    assert (claimed, answer, Submission.objects.exists()) in {(True, 409, True), (False, 302, False)}
