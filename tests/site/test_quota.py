"""What counts against a quota, and when a day begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import quota_of
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

pytestmark = pytest.mark.database


def used(cast: Cast) -> int:
    return quota_of(cast.phase, cast.team).used_total


@pytest.mark.parametrize(
    ("status", "cost"),
    [
        (Status.QUEUED, 1),
        (Status.RUNNING, 1),
        (Status.SCORED, 1),
        (Status.REJECTED, 0),
        (Status.FAILED, 0),
    ],
)
def test_what_a_submission_costs(cast: Cast, tmp_path: Path, status: Status, cost: int) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path)
    Evaluation.objects.update(status=status)

    assert used(cast) == cost


def test_cancelled_before_a_worker_claimed_it_costs_nothing(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path).evaluation.cancel()

    assert used(cast) == 0


def test_cancelled_after_that_it_counts(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    Evaluation.objects.claim_next("tester/1")
    submission.evaluation.cancel()

    assert used(cast) == 1


def test_a_disqualified_submission_counts(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path)
    Submission.objects.update(disqualified_at=timezone.now())

    assert used(cast) == 1


@pytest.mark.parametrize("staged", [Status.REJECTED, Status.FAILED])
def test_a_rescore_gives_nothing_back(cast: Cast, tmp_path: Path, staged: Status) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()
    Evaluation.objects.create(submission=submission, scoring_version=version, status=staged, is_staged=True)

    assert used(cast) == 1


def test_a_rescore_takes_nothing(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    Evaluation.objects.update(status=Status.REJECTED)
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()
    Evaluation.objects.create(submission=submission, scoring_version=version, status=Status.SCORED, is_staged=True)

    assert used(cast) == 0


def test_each_phase_has_its_own(cast: Cast, tmp_path: Path) -> None:
    other = factories.make_phase(tmp_path, cast.challenge)
    factories.make_submission(other, cast.team, tmp_path)

    assert used(cast) == 0


# Zürich is at UTC+1 in winter: its midnight is 23:00 UTC.
@pytest.mark.parametrize(
    ("now", "used_today"),
    [
        (datetime(2026, 1, 15, 22, 59, tzinfo=UTC), 1),
        (datetime(2026, 1, 15, 23, 1, tzinfo=UTC), 0),
        (datetime(2026, 1, 16, 0, 1, tzinfo=UTC), 0),
    ],
)
def test_the_day_is_the_challenges(cast: Cast, tmp_path: Path, now: datetime, used_today: int) -> None:
    cast.challenge.time_zone = "Europe/Zurich"
    cast.challenge.save()
    factories.make_submission(cast.phase, cast.team, tmp_path)
    Submission.objects.update(submitted_at=datetime(2026, 1, 15, 22, 30, tzinfo=UTC))

    quota = quota_of(cast.phase, cast.team, now)

    assert (quota.used_today, quota.used_total) == (used_today, 1)


def test_yesterdays_evening_in_utc_can_be_today(cast: Cast, tmp_path: Path) -> None:
    cast.challenge.time_zone = "Asia/Tokyo"
    cast.challenge.save()
    factories.make_submission(cast.phase, cast.team, tmp_path)
    Submission.objects.update(submitted_at=datetime(2026, 1, 14, 15, 30, tzinfo=UTC))

    assert quota_of(cast.phase, cast.team, datetime(2026, 1, 15, 14, 59, tzinfo=UTC)).used_today == 1


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        # the day of 25 hours on which the clocks go back
        (datetime(2026, 10, 25, 10, 0, tzinfo=UTC), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
        # the day of 23 hours
        (datetime(2026, 3, 29, 10, 0, tzinfo=UTC), datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(cast: Cast, now: datetime, ends: datetime) -> None:
    cast.challenge.time_zone = "Europe/Zurich"

    assert quota_of(cast.phase, cast.team, now).day_ends_at.astimezone(UTC) == ends


def test_a_midnight_that_comes_twice_begins_one_day(cast: Cast) -> None:
    # In Havana the clocks went back from 1:00 to 0:00 on 1 November 2026.
    cast.challenge.time_zone = "America/Havana"
    first_midnight = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)

    after_the_second = cast.phase.day_start(first_midnight + timedelta(minutes=90))

    assert after_the_second.astimezone(UTC) == first_midnight


def test_what_is_left_is_never_negative(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path)
    factories.make_submission(cast.phase, cast.team, tmp_path)
    cast.phase.quota_per_day = 1

    assert quota_of(cast.phase, cast.team).left == 0
