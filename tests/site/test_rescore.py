"""Scoring stored submissions again: the plan, the run, the publication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.challenges.models import ScoringVersion
from bayerboard.evaluations.models import Evaluation, ImageScores, RescoreRun, Status
from bayerboard.leaderboards.models import Standing
from bayerboard.rescoring import difference, planning, publication
from bayerboard.rescoring.planning import RescoreRefused
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import quota_of
from scoring.problems import problem
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.challenges.models import Phase
    from tests.factories import Cast

pytestmark = pytest.mark.database


@pytest.fixture
def ours(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)


@pytest.fixture
def theirs(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=30)


def new_reference(phase: Phase, folder: Path) -> None:
    """Store a second reference set version; nothing is published."""
    images = {name: image // 2 for name, image in factories.reference_images(phase).items()}
    factories.publish_reference(phase, images, folder)


def start(phase: Phase, *submissions: Submission) -> RescoreRun:
    phase.refresh_from_db()
    ids = [submission.pk for submission in submissions] or None
    return planning.start(phase.path, planning.plan([phase], ids), "a new reference")


def staged(run: RescoreRun, submission: Submission) -> Evaluation:
    return Evaluation.objects.get(scoring_version__run=run, submission=submission)


def finish(run: RescoreRun, scores: dict[Submission, float]) -> None:
    for submission, psnr in scores.items():
        factories.record(staged(run, submission), psnr=psnr)


def board(phase: Phase) -> dict[str, float]:
    return {row.entry.team.name: row.metrics["psnr"] for row in Standing.objects.filter(phase=phase)}


# --- The plan ---


def test_the_plan_says_what_would_be_scored(cast: Cast, ours: Submission, theirs: Submission) -> None:
    [plan] = planning.plan([cast.phase], None)

    assert plan.submissions == (ours.pk, theirs.pk)
    assert (plan.is_whole, plan.carried_over, plan.images, plan.changes) == (True, 0, 4, ())


def test_the_plan_writes_nothing(cast: Cast, ours: Submission) -> None:
    planning.plan([cast.phase], None)

    assert not RescoreRun.objects.exists()
    assert Evaluation.objects.count() == ScoringVersion.objects.count() == 1


def test_the_plan_says_what_changed(cast: Cast, ours: Submission, tmp_path: Path, monkeypatch: Any) -> None:
    new_reference(cast.phase, tmp_path)
    cast.phase.track.protocol_data = {**cast.phase.track.protocol_data, "tolerance": 1e-3}
    monkeypatch.setattr(planning, "SCORER_VERSION", "99")

    [plan] = planning.plan([cast.phase], None)

    assert plan.changes == (
        "the reference set became version 2",
        "the track's protocol changed",
        "the scorer became version 99",
    )


def test_a_chosen_few_leave_the_others_as_they_are(cast: Cast, ours: Submission, theirs: Submission) -> None:
    [plan] = planning.plan([cast.phase], [ours.pk])

    assert (plan.submissions, plan.is_whole, plan.carried_over) == ((ours.pk,), False, 1)


def test_a_chosen_few_are_refused_when_scores_of_two_kinds_would_meet(
    cast: Cast, ours: Submission, theirs: Submission, tmp_path: Path
) -> None:
    new_reference(cast.phase, tmp_path)

    with pytest.raises(RescoreRefused, match="the reference set became version 2") as refusal:
        planning.plan([cast.phase], [ours.pk])

    assert "without --submission" in str(refusal.value)


def test_all_of_them_by_name_are_not_refused(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    new_reference(cast.phase, tmp_path)

    assert planning.plan([cast.phase], [ours.pk])[0].is_whole


def test_an_unknown_submission_is_refused(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    elsewhere = factories.make_phase(tmp_path, cast.challenge)
    other = factories.make_submission(elsewhere, cast.team, tmp_path)

    unknown = other.pk + 1

    with pytest.raises(RescoreRefused, match=rf"Not among the submissions of the target: {other.pk}, {unknown}\."):
        planning.plan([cast.phase], [ours.pk, other.pk, unknown])


def test_cancelled_submissions_are_left_out(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path).evaluation.cancel()

    assert planning.plan([cast.phase], None)[0].submissions == (ours.pk,)


def test_disqualified_and_rejected_submissions_are_scored_too(cast: Cast, ours: Submission, theirs: Submission) -> None:
    Submission.objects.filter(pk=ours.pk).update(disqualified_at=timezone.now())
    Evaluation.objects.filter(submission=theirs).update(status=Status.REJECTED)

    assert planning.plan([cast.phase], None)[0].submissions == (ours.pk, theirs.pk)


def test_a_phase_without_submissions_needs_no_plan(cast: Cast) -> None:
    assert planning.plan([cast.phase], None) == []


# --- The run ---


def test_a_run_queues_staged_evaluations_of_a_new_version(cast: Cast, ours: Submission, theirs: Submission) -> None:
    run = start(cast.phase)

    version = run.versions.get()
    assert (version.number, version.reason, version.published_at) == (2, "a new reference", None)
    assert {item.submission: (item.status, item.is_staged) for item in version.evaluations.all()} == {
        ours: (Status.QUEUED, True),
        theirs: (Status.QUEUED, True),
    }


def test_it_scores_against_the_newest_reference_and_the_tracks_protocol(
    cast: Cast, ours: Submission, tmp_path: Path
) -> None:
    new_reference(cast.phase, tmp_path)

    version = start(cast.phase).versions.get()

    assert version.reference_set.version == 2
    assert version.protocol_sha256 == cast.phase.track.protocol.digest


def test_while_it_runs_nothing_changes(cast: Cast, ours: Submission, theirs: Submission) -> None:
    client = cast.client("participant")
    urls = [ours.get_absolute_url(), cast.phase.get_absolute_url(), "/submissions/", "/"]
    before = [Page(client.get(url)).text for url in urls]

    run = start(cast.phase)
    finish(run, {ours: 12, theirs: 13})

    assert [Page(client.get(url)).text for url in urls] == before
    assert board(cast.phase) == {"Bayer Street": 31, "Night Shift": 30}


def test_dates_and_quotas_are_untouched(cast: Cast, ours: Submission) -> None:
    before = quota_of(cast.phase, cast.team)
    run = start(cast.phase)
    Evaluation.objects.filter(scoring_version__run=run).update(status=Status.REJECTED)

    after = quota_of(cast.phase, cast.team)

    assert (after.used_total, after.rejected) == (before.used_total, before.rejected)


def test_what_comes_in_between_the_plan_and_the_start_is_scored_too(
    cast: Cast, ours: Submission, tmp_path: Path
) -> None:
    plans = planning.plan([cast.phase], None)
    late = factories.make_submission(cast.phase, cast.rivals, tmp_path)

    run = planning.start(cast.phase.path, plans, "")

    assert staged(run, late).status == Status.QUEUED


def test_a_reference_that_changes_between_the_plan_and_the_start_stops_a_chosen_few(
    cast: Cast, ours: Submission, theirs: Submission, tmp_path: Path
) -> None:
    plans = planning.plan([cast.phase], [ours.pk])
    new_reference(cast.phase, tmp_path)

    with pytest.raises(RescoreRefused, match="Scores of two kinds"):
        planning.start(cast.phase.path, plans, "")

    assert not RescoreRun.objects.exists()


def test_a_new_submission_joins_the_run(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    run = start(cast.phase)

    new = factories.make_submission(cast.phase, cast.rivals, tmp_path)

    assert new.evaluation.scoring_version == cast.phase.published_version
    assert staged(run, new).is_staged
    assert planning.progress(run) == (0, 2)


def test_a_second_run_of_the_same_phase_has_to_wait(cast: Cast, ours: Submission) -> None:
    start(cast.phase)

    with pytest.raises(RescoreRefused, match="is being rescored already"):
        start(cast.phase)

    assert RescoreRun.objects.count() == 1


# --- The difference ---


def test_the_difference_shows_scores_and_ranks(cast: Cast, ours: Submission, theirs: Submission) -> None:
    run = start(cast.phase)
    finish(run, {ours: 20, theirs: 25})

    changes = difference.difference(run)

    assert [
        (item.team, item.before["psnr"], item.after["psnr"], item.rank_before, item.rank_after) for item in changes
    ] == [("Night Shift", 30, 25, 2, 1), ("Bayer Street", 31, 20, 1, 2)]
    assert all(item.is_change for item in changes)


def test_the_same_scores_are_no_change(cast: Cast, ours: Submission) -> None:
    run = start(cast.phase)
    finish(run, {ours: 31})

    assert [item.is_change for item in difference.difference(run)] == [False]
    assert difference.verdict_changes(run) == []


def test_a_team_that_loses_its_score_is_shown(cast: Cast, ours: Submission, theirs: Submission) -> None:
    run = start(cast.phase)
    finish(run, {theirs: 30})
    Evaluation.objects.filter(pk=staged(run, ours).pk).update(status=Status.FAILED)

    changes = {item.team: item for item in difference.difference(run)}

    assert (changes["Bayer Street"].after, changes["Bayer Street"].rank_after) == ({}, None)
    assert changes["Night Shift"].rank_after == 1
    assert [(item.submission, item.before, item.after) for item in difference.verdict_changes(run)] == [
        (ours.pk, "scored", "failed")
    ]


def test_a_chosen_few_are_compared_with_those_that_stay(cast: Cast, ours: Submission, theirs: Submission) -> None:
    run = start(cast.phase, ours)
    finish(run, {ours: 29})

    assert {item.team: (item.rank_before, item.rank_after) for item in difference.difference(run)} == {
        "Bayer Street": (1, 2),
        "Night Shift": (2, 1),
    }


# --- The publication ---


def test_everything_is_published_at_once(cast: Cast, ours: Submission, theirs: Submission) -> None:
    run = start(cast.phase)
    finish(run, {ours: 20, theirs: 25})

    publication.publish(run)

    cast.phase.refresh_from_db()
    run.refresh_from_db()
    version = cast.phase.published_version
    assert version == run.versions.get()
    assert version is not None
    assert version.published_at is not None
    assert (run.state, run.published_at is not None) == (RescoreRun.State.PUBLISHED, True)
    assert board(cast.phase) == {"Bayer Street": 20, "Night Shift": 25}
    page = Page(cast.client("signed_out").get(cast.phase.get_absolute_url()))
    assert page.text.index("Night Shift") < page.text.index("Bayer Street")
    assert "20.00" in Page(cast.client("participant").get(ours.get_absolute_url())).text
    assert not Evaluation.objects.filter(is_staged=True).exists()


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_it_is_refused_while_an_evaluation_is_unfinished(
    cast: Cast, ours: Submission, theirs: Submission, status: Status
) -> None:
    run = start(cast.phase)
    finish(run, {ours: 20})
    Evaluation.objects.filter(pk=staged(run, theirs).pk).update(status=status)

    with pytest.raises(RescoreRefused, match=r"is not finished: 1 of 2 evaluations are done\."):
        publication.publish(run)

    assert board(cast.phase) == {"Bayer Street": 31, "Night Shift": 30}


def test_it_is_refused_twice(cast: Cast, ours: Submission) -> None:
    run = start(cast.phase)
    finish(run, {ours: 20})
    publication.publish(run)

    with pytest.raises(RescoreRefused, match="is published already"):
        publication.publish(run)


def test_a_crash_publishes_nothing(
    cast: Cast, ours: Submission, theirs: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(cast.phase)
    finish(run, {ours: 20, theirs: 25})
    before = cast.phase.published_version

    def crash(phase: Phase) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("bayerboard.rescoring.publication.Standing.objects.rebuild", crash)

    with pytest.raises(RuntimeError, match="disk"):
        publication.publish(run)

    cast.phase.refresh_from_db()
    run.refresh_from_db()
    assert cast.phase.published_version == before
    assert run.state == RescoreRun.State.OPEN
    assert Evaluation.objects.filter(is_staged=True).count() == 2


def test_who_was_not_chosen_keeps_score_and_images(cast: Cast, ours: Submission, theirs: Submission) -> None:
    run = start(cast.phase, ours)
    finish(run, {ours: 20})
    kept = theirs.evaluation

    publication.publish(run)

    theirs = Submission.objects.get(pk=theirs.pk)
    copy = theirs.evaluation
    assert copy.pk != kept.pk
    assert (copy.status, copy.metrics) == (Status.SCORED, kept.metrics)
    assert [row.values for row in copy.image_rows()] == [row.values for row in kept.image_rows()]
    assert copy.provenance["carried_over_from_evaluation"] == kept.pk
    assert board(cast.phase) == {"Bayer Street": 20, "Night Shift": 30}


def test_what_is_still_queued_is_carried_over_and_scored_later(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    late = factories.make_submission(cast.phase, cast.rivals, tmp_path)
    run = start(cast.phase, ours)
    finish(run, {ours: 20})

    publication.publish(run)
    late = Submission.objects.get(pk=late.pk)
    assert late.evaluation.status == Status.QUEUED
    factories.record(late.evaluation, psnr=25)

    assert board(cast.phase) == {"Bayer Street": 20, "Night Shift": 25}


def test_a_late_score_of_the_old_version_changes_no_board(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    old = factories.make_submission(cast.phase, cast.rivals, tmp_path).evaluation
    run = start(cast.phase)
    finish(run, {ours: 20, old.submission: 21})
    publication.publish(run)

    factories.record(old, psnr=99)

    assert board(cast.phase) == {"Bayer Street": 20, "Night Shift": 21}


def test_a_cancelled_submission_stays_cancelled(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    cancelled = factories.make_submission(cast.phase, cast.rivals, tmp_path)
    cancelled.evaluation.cancel()
    run = start(cast.phase)
    finish(run, {ours: 20})

    publication.publish(run)

    assert Submission.objects.get(pk=cancelled.pk).evaluation.status == Status.CANCELLED
    assert quota_of(cast.phase, cast.rivals).used_total == 0


def test_what_is_being_scored_is_queued_anew_under_the_new_version(
    cast: Cast, ours: Submission, tmp_path: Path
) -> None:
    late = factories.make_submission(cast.phase, cast.rivals, tmp_path)
    assert Evaluation.objects.claim(late.evaluation.pk, "a worker")
    run = start(cast.phase, ours)
    finish(run, {ours: 20})

    publication.publish(run)

    now = Submission.objects.get(pk=late.pk).evaluation
    assert (now.status, now.attempts, now.worker) == (Status.QUEUED, 0, "")


def test_what_is_cancelled_after_its_twin_was_scored_stays_cancelled(
    cast: Cast, ours: Submission, tmp_path: Path
) -> None:
    late = factories.make_submission(cast.phase, cast.rivals, tmp_path)
    run = start(cast.phase)
    finish(run, {ours: 20, late: 21})
    assert late.evaluation.cancel()

    publication.publish(run)

    assert Submission.objects.get(pk=late.pk).evaluation.status == Status.CANCELLED
    assert board(cast.phase) == {"Bayer Street": 20}


def test_a_failed_evaluation_takes_the_score_away(cast: Cast, ours: Submission, theirs: Submission) -> None:
    run = start(cast.phase)
    finish(run, {theirs: 30})
    Evaluation.objects.filter(pk=staged(run, ours).pk).update(status=Status.FAILED)

    publication.publish(run)

    assert board(cast.phase) == {"Night Shift": 30}
    assert Submission.objects.get(pk=ours.pk).evaluation.status == Status.FAILED


def test_a_disqualified_submission_comes_not_back(cast: Cast, ours: Submission, theirs: Submission) -> None:
    Submission.objects.filter(pk=ours.pk).update(disqualified_at=timezone.now())
    run = start(cast.phase)
    finish(run, {ours: 40, theirs: 30})

    publication.publish(run)

    assert board(cast.phase) == {"Night Shift": 30}


def test_a_second_run_can_follow(cast: Cast, ours: Submission, theirs: Submission) -> None:
    for scores in ({ours: 20, theirs: 25}, {ours: 28, theirs: 27}):
        run = start(cast.phase)
        finish(run, {submission: float(psnr) for submission, psnr in scores.items()})
        publication.publish(run)

    cast.phase.refresh_from_db()
    assert cast.phase.published_version is not None
    assert cast.phase.published_version.number == 3
    assert board(cast.phase) == {"Bayer Street": 28, "Night Shift": 27}
    assert Evaluation.objects.count() == 6


def test_several_phases_are_published_together(cast: Cast, ours: Submission, tmp_path: Path) -> None:
    other = factories.make_phase(tmp_path, cast.challenge)
    there = factories.make_scored(other, cast.team, tmp_path, psnr=10)
    run = planning.start(cast.challenge.slug, planning.plan([cast.phase, other], None), "")
    finish(run, {ours: 20, there: 11})

    publication.publish(run)

    assert (board(cast.phase), board(other)) == ({"Bayer Street": 20}, {"Bayer Street": 11})


def test_a_rejection_is_kept_with_its_reasons_when_it_is_carried_over(
    cast: Cast, ours: Submission, tmp_path: Path
) -> None:
    rejected = factories.make_submission(cast.phase, cast.rivals, tmp_path)
    errors = [problem("image-missing", file="6_2.npy").to_json()]
    Evaluation.objects.filter(submission=rejected).update(status=Status.REJECTED, errors=errors)
    run = start(cast.phase, ours)
    finish(run, {ours: 20})

    publication.publish(run)

    evaluation = Submission.objects.get(pk=rejected.pk).evaluation
    assert (evaluation.status, evaluation.errors) == (Status.REJECTED, errors)
    assert not ImageScores.objects.filter(evaluation=evaluation).exists()
