"""Who works on what: the claim, the lease, the fencing number."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, EvaluationQuerySet, Status
from bayerboard.lib.leases import LeaseLost
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.submissions.models import Submission
    from bayerboard.teams.models import Team
    from tests.factories import Cast

pytestmark = pytest.mark.database


def claim() -> Evaluation:
    evaluation = Evaluation.objects.claim_next("tester/1")
    assert evaluation is not None
    return evaluation


def expire() -> None:
    Evaluation.objects.filter(status=Status.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def submission(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_submission(cast.phase, cast.team, tmp_path)


def send(cast: Cast, team: Team, folder: Path) -> Submission:
    return factories.make_submission(cast.phase, team, folder)


def test_a_claim_moves_it_to_running(submission: Submission, settings: Settings) -> None:
    before = timezone.now() - timedelta(seconds=1)

    evaluation = claim()

    assert evaluation.submission == submission
    assert (evaluation.status, evaluation.worker, evaluation.attempts, evaluation.fence) == (
        Status.RUNNING,
        "tester/1",
        1,
        1,
    )
    assert evaluation.started_at is not None
    assert evaluation.started_at >= before
    assert evaluation.lease_until is not None
    lease = evaluation.lease_until - evaluation.started_at
    assert abs(lease.total_seconds() - settings.LEASE_S) < 1


def test_a_claim_forgets_why_the_last_attempt_broke_off(submission: Submission) -> None:
    claim().give_back()
    assert submission.evaluation.failure == Evaluation.WAITING_TEXT

    assert claim().failure == ""


def test_of_two_claims_of_one_row_one_wins(submission: Submission) -> None:
    pk = submission.evaluation.pk

    assert [Evaluation.objects.claim(pk, name) for name in ("first", "second")] == [True, False]
    assert submission.evaluation.worker == "first"


def test_a_worker_that_was_too_slow_takes_the_next(
    cast: Cast, submission: Submission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = send(cast, cast.rivals, tmp_path)
    claim_row, faster = EvaluationQuerySet.claim, iter(["faster"])

    def claim_after_another(queue: EvaluationQuerySet, pk: int, worker: str, time_limit_s: int) -> bool:
        for name in faster:
            assert claim_row(queue, pk, name)
        return claim_row(queue, pk, worker, time_limit_s)

    monkeypatch.setattr(EvaluationQuerySet, "claim", claim_after_another)

    assert claim().submission == other
    assert submission.evaluation.worker == "faster"


@pytest.mark.django_db
def test_nothing_queued_is_nothing_to_do() -> None:
    assert Evaluation.objects.claim_next("tester/1") is None


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.QUEUED}))
def test_only_what_is_queued_is_claimed(submission: Submission, status: Status) -> None:
    Evaluation.objects.update(status=status)

    assert Evaluation.objects.claim_next("tester/1") is None
    assert not Evaluation.objects.claim(submission.evaluation.pk, "tester/1")


def test_teams_come_in_turn(cast: Cast, tmp_path: Path) -> None:
    for _ in range(3):
        send(cast, cast.team, tmp_path)
    for _ in range(2):
        send(cast, cast.rivals, tmp_path)

    order = [claim().submission.entry.team for _ in range(5)]

    assert order == [cast.team, cast.rivals, cast.team, cast.rivals, cast.team]


def test_a_team_gets_its_own_in_the_order_it_sent_them(cast: Cast, tmp_path: Path) -> None:
    sent = [send(cast, cast.team, tmp_path) for _ in range(3)]

    assert [claim().submission for _ in range(3)] == sent


def test_what_a_rescore_staged_comes_after_participants(cast: Cast, submission: Submission, tmp_path: Path) -> None:
    factories.record(submission.evaluation, psnr=30)
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()
    staged = Evaluation.objects.create(submission=submission, scoring_version=version, is_staged=True)
    late = send(cast, cast.team, tmp_path)

    assert [claim().pk for _ in range(2)] == [late.evaluation.pk, staged.pk]


def test_what_was_put_back_keeps_its_place(cast: Cast, tmp_path: Path) -> None:
    first = send(cast, cast.team, tmp_path)
    send(cast, cast.team, tmp_path)
    claim().give_up()

    assert claim().submission == first


# --- Progress ---


def test_progress_extends_the_lease(submission: Submission) -> None:
    evaluation = claim()
    near = timezone.now() + timedelta(seconds=5)
    Evaluation.objects.update(lease_until=near)

    evaluation.show_progress(1, 2)

    evaluation.refresh_from_db()
    assert (evaluation.images_done, evaluation.images_total) == (1, 2)
    assert evaluation.lease_until is not None
    assert evaluation.lease_until > near + timedelta(seconds=60)


def test_nothing_but_progress_extends_it(submission: Submission) -> None:
    evaluation = claim()
    expire()

    with pytest.raises(LeaseLost):
        evaluation.show_progress(1, 2)

    evaluation.refresh_from_db()
    assert evaluation.images_done == 0


def test_a_claim_that_was_taken_over_is_lost(submission: Submission) -> None:
    first = claim()
    expire()
    Evaluation.objects.recover()
    second = claim()

    with pytest.raises(LeaseLost):
        first.show_progress(1, 2)
    second.show_progress(1, 2)


def test_a_cancelled_one_is_lost(submission: Submission) -> None:
    evaluation = claim()
    submission.evaluation.cancel()

    with pytest.raises(LeaseLost):
        evaluation.show_progress(1, 2)


@pytest.mark.parametrize(("done", "total", "percent"), [(0, 0, 0), (0, 3, 0), (1, 3, 33), (3, 3, 100)])
def test_percent(done: int, total: int, percent: int) -> None:
    assert Evaluation(images_done=done, images_total=total).progress_percent == percent


# --- Recovery ---


def test_what_lost_its_worker_goes_back_to_the_queue(submission: Submission) -> None:
    claim().show_progress(1, 2)
    expire()

    assert Evaluation.objects.recover() == (1, 0)

    evaluation = submission.evaluation
    assert (evaluation.status, evaluation.worker, evaluation.images_done) == (Status.QUEUED, "", 0)
    assert evaluation.lease_until is None


def test_after_the_last_attempt_it_fails_with_a_reason(submission: Submission, settings: Settings) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        claim()
        expire()
        outcome = Evaluation.objects.recover()

    assert outcome == (0, 1)
    evaluation = submission.evaluation
    assert evaluation.status == Status.FAILED
    assert evaluation.failure == (
        "Scoring stopped without progress 3 times. The organisers can start it again with rescore."
    )
    assert evaluation.finished_at is not None
    assert Evaluation.objects.claim_next("tester/1") is None


def test_who_still_shows_progress_keeps_it(submission: Submission) -> None:
    claim()

    assert Evaluation.objects.recover() == (0, 0)
    assert submission.evaluation.status == Status.RUNNING


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.RUNNING}))
def test_what_does_not_run_is_left_alone(submission: Submission, status: Status) -> None:
    Evaluation.objects.update(status=status, lease_until=timezone.now() - timedelta(hours=1))

    assert Evaluation.objects.recover() == (0, 0)


# --- Giving up ---


def test_our_own_fault_is_tried_again(submission: Submission) -> None:
    claim().give_up()

    evaluation = submission.evaluation
    assert (evaluation.status, evaluation.attempts, evaluation.failure) == (Status.QUEUED, 1, "")
    assert evaluation.finished_at is None


def test_after_the_last_attempt_it_fails_with_a_reference_number(submission: Submission, settings: Settings) -> None:
    references = [claim().give_up() for _ in range(settings.MAX_ATTEMPTS)]

    evaluation = submission.evaluation
    assert evaluation.status == Status.FAILED
    assert references[-1] in evaluation.failure
    assert references[0] not in evaluation.failure


def test_giving_up_what_somebody_else_holds_changes_nothing(submission: Submission) -> None:
    first = claim()
    expire()
    Evaluation.objects.recover()
    claim()

    first.give_up()

    assert submission.evaluation.status == Status.RUNNING


# --- Clocks ---


@pytest.mark.parametrize("days", [-1, 1])
def test_a_workers_clock_that_jumps_changes_nothing(
    submission: Submission, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    evaluation = claim()
    now, seconds = timezone.now, time.time
    monkeypatch.setattr("django.utils.timezone.now", lambda: now() + timedelta(days=days))
    monkeypatch.setattr("time.time", lambda: seconds() + days * 86400)

    assert Evaluation.objects.recover() == (0, 0)
    evaluation.show_progress(1, 2)
    evaluation.end(Status.SCORED)

    monkeypatch.undo()
    evaluation.refresh_from_db()
    assert evaluation.status == Status.SCORED
    assert evaluation.finished_at is not None
    assert abs((evaluation.finished_at - now()).total_seconds()) < 3600


@pytest.mark.parametrize("days", [-1, 1])
def test_nor_does_one_that_claims(submission: Submission, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    seconds = time.time
    monkeypatch.setattr("time.time", lambda: seconds() + days * 86400)
    evaluation = claim()
    monkeypatch.undo()

    assert Evaluation.objects.recover() == (0, 0)
    evaluation.show_progress(1, 2)
