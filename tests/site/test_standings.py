"""Which submission stands for a team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.leaderboards.models import Standing
from bayerboard.submissions.models import Submission
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

pytestmark = pytest.mark.database


def standing(cast: Cast) -> Submission | None:
    found = Standing.objects.filter(entry__team=cast.team).select_related("evaluation__submission").first()
    return found.evaluation.submission if found else None


def select(cast: Cast, selection: str) -> None:
    cast.phase.selection = selection
    cast.phase.save()


def test_a_queued_submission_does_not_stand(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path)

    assert standing(cast) is None


@pytest.mark.parametrize(("scores", "best"), [((30, 31, 29), 1), ((31, 30), 0), ((30, 30), 0)])
def test_the_best_stands_and_of_equals_the_first(
    cast: Cast, tmp_path: Path, scores: tuple[float, ...], best: int
) -> None:
    sent = [factories.make_scored(cast.phase, cast.team, tmp_path, psnr=psnr) for psnr in scores]

    assert standing(cast) == sent[best]


def test_best_goes_by_the_second_column_when_the_first_is_equal(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30, ssim=0.80)
    better = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30, ssim=0.81)

    assert standing(cast) == better


def test_equal_is_what_the_tolerance_says(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30, ssim=0.80)
    better = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30 - 5e-7, ssim=0.81)

    assert standing(cast) == better


def test_on_a_track_where_ssim_comes_first_it_decides(tmp_path: Path, db: None) -> None:
    cast = factories.make_cast(tmp_path, protocol=factories.SMALL_P20)
    better = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=20, ssim=0.9)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=40, ssim=0.8)

    assert standing(cast) == better


def test_the_latest_stands_where_the_phase_says_so(cast: Cast, tmp_path: Path) -> None:
    select(cast, "latest")
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)
    later = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    assert standing(cast) == later


def test_the_latest_is_the_last_sent_not_the_last_scored(cast: Cast, tmp_path: Path) -> None:
    select(cast, "latest")
    first = factories.make_submission(cast.phase, cast.team, tmp_path)
    second = factories.make_submission(cast.phase, cast.team, tmp_path)
    factories.record(second.evaluation, psnr=30)
    factories.record(first.evaluation, psnr=31)

    assert standing(cast) == second


@pytest.mark.parametrize("selection", ["best", "latest"])
@pytest.mark.parametrize("metrics", [{}, {"psnr": 99.0}, {"psnr": 99.0, "ssim": None}])
def test_an_incomplete_result_never_stands(cast: Cast, tmp_path: Path, selection: str, metrics: dict[str, Any]) -> None:
    select(cast, selection)
    complete = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    incomplete = factories.make_submission(cast.phase, cast.team, tmp_path)
    Evaluation.objects.filter(submission=incomplete).update(status=Status.SCORED, metrics=metrics)

    Standing.objects.rebuild(cast.phase)

    assert standing(cast) == complete


def test_each_phase_has_its_own(cast: Cast, tmp_path: Path) -> None:
    other = factories.make_phase(tmp_path, cast.challenge)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    factories.make_scored(other, cast.team, tmp_path, psnr=31)

    assert {row.phase_id: row.metrics["psnr"] for row in Standing.objects.all()} == {cast.phase.pk: 30, other.pk: 31}


def test_a_staged_score_does_not_stand(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    version = factories.publish_reference(cast.phase, factories.reference_images(cast.phase), tmp_path)
    version.save()

    factories.record(Evaluation.objects.create(submission=submission, scoring_version=version), psnr=99)

    assert Standing.objects.get().metrics["psnr"] == 30


def test_values_are_kept_unrounded_where_the_reference_is_public(db: None, tmp_path: Path) -> None:
    cast = factories.make_cast(tmp_path, publishes_images=True)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.864219876543, ssim=1 / 3)

    assert Standing.objects.get().metrics == {"psnr": 31.864219876543, "ssim": 1 / 3}


def test_it_can_be_rebuilt(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    Standing.objects.all().delete()

    Standing.objects.rebuild(cast.phase)

    assert standing(cast) == submission


def test_a_disqualified_submission_gives_its_place_to_the_next(cast: Cast, tmp_path: Path) -> None:
    next_best = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    best = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)
    Submission.objects.filter(pk=best.pk).update(disqualified_at=timezone.now())

    Standing.objects.rebuild(cast.phase)

    assert standing(cast) == next_best
