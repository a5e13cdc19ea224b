"""The queue's order with many in it, and what finding the next one costs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.submissions.models import Entry, Submission
from bayerboard.teams.origin import Origin
from tests import factories
from workers.score import score_next

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.challenges.models import Phase, ScoringVersion
    from bayerboard.evaluations.models import EvaluationQuerySet
    from bayerboard.teams.models import Team
    from tests.factories import Cast

pytestmark = pytest.mark.database


@pytest.fixture
def phase(tmp_path: Path) -> Phase:
    return factories.make_phase(tmp_path, names=("6_0",), quota_per_day=100)


def order_of_scoring() -> list[str]:
    """Let a worker do all there is; return the teams in the order in which it took their submissions."""
    while Evaluation.objects.queued().exists():
        score_next()
    done = Evaluation.objects.order_by("started_at", "pk").select_related("submission__entry__team")
    return [evaluation.submission.entry.team.name for evaluation in done]


@pytest.mark.django_db
def test_fifty_of_one_team_do_not_starve_anothers_first(phase: Phase, tmp_path: Path) -> None:
    eager, shy = (factories.make_team(phase.track.challenge, name) for name in ("eager", "shy"))
    for _ in range(50):
        factories.make_submission(phase, eager, tmp_path)
    score_next()
    first, second = (factories.make_submission(phase, shy, tmp_path) for _ in range(2))

    order = order_of_scoring()

    assert order == ["eager", "shy", "eager", "shy", *["eager"] * 48]
    assert {submission.evaluation.status for submission in (first, second)} == {Status.SCORED}


@pytest.mark.django_db
def test_a_rescore_of_everything_waits_for_every_participant_and_costs_nobody_a_turn(
    phase: Phase, tmp_path: Path
) -> None:
    old, new = (factories.make_team(phase.track.challenge, name) for name in ("old", "new"))
    earlier = [factories.make_scored(phase, old, tmp_path, psnr=30) for _ in range(5)]
    version = factories.publish_reference(phase, factories.reference_images(phase), tmp_path)
    version.save()
    staged = [Evaluation.objects.create(submission=item, scoring_version=version, is_staged=True) for item in earlier]
    turn = type(old).objects.get(pk=old.pk).last_claimed_at
    assert Evaluation.objects.claim_next("tester/1") == staged[0]
    assert type(old).objects.get(pk=old.pk).last_claimed_at == turn
    for _ in range(3):
        factories.make_submission(phase, new, tmp_path)

    taken = [Evaluation.objects.claim_next("tester/1") for _ in range(7)]

    assert [item.is_staged for item in taken if item] == [False] * 3 + [True] * 4


# --- What it costs ---


def fill(phase: Phase, team: Team, version: ScoringVersion, count: int, **fields: Any) -> None:
    """Store many evaluations of as many submissions of a team."""
    entry, _ = Entry.objects.get_or_create(phase=phase, team=team)
    start, now = Submission.objects.count(), timezone.now()
    submissions = Submission.objects.bulk_create(
        Submission(
            entry=entry,
            origin=Origin.PARTICIPANT,
            method_name="many",
            archive_size_bytes=1,
            idempotency_key=f"many-{start + number}",
        )
        for number in range(count)
    )
    Evaluation.objects.bulk_create(
        Evaluation(
            submission=submission,
            scoring_version=version,
            queued_at=now + timedelta(milliseconds=number),
            **fields,
        )
        for number, submission in enumerate(submissions)
    )


def plan_of(queue: EvaluationQuerySet) -> str:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = queue[:1].explain()
    assert "SCAN evaluations_evaluation" not in plan, plan
    assert "Seq Scan on evaluations_evaluation" not in plan, plan
    return plan


def test_the_next_participant_is_found_without_a_look_at_what_is_finished(cast: Cast) -> None:
    version = cast.phase.published_version
    assert version is not None
    fill(cast.phase, cast.team, version, 2000, status=Status.SCORED)
    fill(cast.phase, cast.rivals, version, 50)

    assert "evaluation_queue" in plan_of(Evaluation.objects.of_participants_in_turn())


def test_the_next_of_a_rescore_is_the_first_of_an_index(cast: Cast) -> None:
    version = cast.phase.published_version
    assert version is not None
    fill(cast.phase, cast.team, version, 2000, status=Status.SCORED)
    fill(cast.phase, cast.rivals, version, 2000, is_staged=True)

    plan = plan_of(Evaluation.objects.of_rescores_in_order())

    assert "evaluation_staged" in plan
    assert not any(word in plan for word in ("TEMP B-TREE", "Sort"))
