"""Who is told what: the notices that an end leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayerboard.evaluations.models import Evaluation, RescoreRun, Status
from bayerboard.lib.leases import LeaseLost
from bayerboard.notices.models import Kind, Notice
from bayerboard.rescoring.planning import plan, start
from bayerboard.rescoring.publication import publish
from bayerboard.results.recording import record_rejection
from bayerboard.teams.origin import Origin
from scoring.problems import SubmissionRejected, problem
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast

pytestmark = pytest.mark.database


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


def claim() -> Evaluation:
    evaluation = Evaluation.objects.claim_next("tester/1")
    assert evaluation is not None
    return evaluation


def told() -> set[tuple[str, str]]:
    return {(notice.user.username, notice.kind) for notice in Notice.objects.select_related("user")}


def both(cast: Cast, kind: Kind) -> set[tuple[str, str]]:
    return {(user.username, kind) for user in (cast.participant, cast.teammate)}


def rescored(cast: Cast, psnr: float) -> RescoreRun:
    """Score everything again, every submission with this score, and leave it to be published."""
    run = start(cast.challenge.slug, plan([cast.phase], None), "a test")
    for evaluation in Evaluation.objects.filter(scoring_version__run=run).order_by("pk"):
        factories.record(evaluation, psnr=psnr)
    return run


def test_every_member_of_the_team_is_told_of_a_result(cast: Cast, submission: Submission) -> None:
    factories.record(submission.evaluation, psnr=30)

    assert told() == both(cast, Kind.RESULT)
    assert {notice.submission for notice in Notice.objects.all()} == {submission}


def test_of_a_rejection(cast: Cast, submission: Submission) -> None:
    record_rejection(claim(), SubmissionRejected([problem("archive-not-zip")]), "a" * 64, {})

    assert told() == both(cast, Kind.REJECTION)


def test_of_a_failure(cast: Cast, submission: Submission) -> None:
    claim().give_up(code="memory-limit-reached")

    assert told() == both(cast, Kind.FAILURE)


def test_of_a_failure_that_only_beat_saw(cast: Cast, submission: Submission, settings: Settings) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        claim()
        Evaluation.objects.release("tester/1")

    assert told() == both(cast, Kind.FAILURE)


def test_an_attempt_that_will_be_repeated_is_no_news(submission: Submission) -> None:
    claim().give_up()

    assert told() == set()


def test_who_cancelled_knows_it(submission: Submission) -> None:
    claim()
    submission.evaluation.cancel()

    assert told() == set()


def test_a_result_that_could_not_be_stored_tells_nobody(
    submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("bayerboard.results.recording.Standing.objects.refresh", crash)

    with pytest.raises(RuntimeError):
        factories.record(submission.evaluation, psnr=30)

    assert told() == set()


def test_a_late_twin_tells_nobody(submission: Submission) -> None:
    evaluation = claim()
    Evaluation.objects.update(fence=7)

    with pytest.raises(LeaseLost):
        evaluation.end(Status.SCORED)

    assert told() == set()


@pytest.mark.django_db
def test_a_baseline_has_nobody_to_tell(cast: Cast, tmp_path: Path) -> None:
    team = factories.make_baseline_team(cast.challenge)

    factories.make_scored(cast.phase, team, tmp_path, psnr=30, origin=Origin.BASELINE)

    assert told() == set()


# --- Rescores ---


def test_what_a_rescore_stages_is_nobodys_news(cast: Cast, submission: Submission) -> None:
    factories.record(submission.evaluation, psnr=30)
    Notice.objects.all().delete()

    rescored(cast, psnr=31)

    assert told() == set()


def test_its_publication_is_told_to_each_whose_score_changes_once(
    cast: Cast, submission: Submission, tmp_path: Path
) -> None:
    factories.record(submission.evaluation, psnr=30)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=29)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=31)
    Notice.objects.all().delete()

    publish(rescored(cast, psnr=31))

    assert told() == both(cast, Kind.RESCORE)
    assert Notice.objects.count() == 2


def test_a_change_that_nobody_can_see_is_no_news(cast: Cast, submission: Submission) -> None:
    factories.record(submission.evaluation, psnr=30)
    Notice.objects.all().delete()

    publish(rescored(cast, psnr=30 + 1e-9))

    assert told() == set()
