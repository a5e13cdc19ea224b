"""When a phase is over, and by which values its standings are chosen until then and afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.challenges.models import Compared, Phase
from bayerboard.challenges.visibility import TIME_TO_FINISH
from bayerboard.evaluations.models import Evaluation
from bayerboard.leaderboards.board import board_page
from bayerboard.leaderboards.models import Standing
from bayerboard.leaderboards.settling import settle, settle_phases
from bayerboard.teams.origin import Origin
from bayerboard.uploads.models import Upload, new_upload
from tests import factories
from workers.settle import settle_phases as settle_task

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast

pytestmark = [pytest.mark.database, pytest.mark.django_db]
# Two submissions that pages show alike: only unrounded values tell which is better.
FIRST, BETTER = 30.1212, 30.1238


@pytest.fixture
def alike(cast: Cast, tmp_path: Path) -> tuple[Submission, Submission]:
    return (
        factories.make_scored(cast.phase, cast.team, tmp_path, psnr=FIRST),
        factories.make_scored(cast.phase, cast.team, tmp_path, psnr=BETTER),
    )


def end(cast: Cast, ago: timedelta = TIME_TO_FINISH) -> None:
    Phase.objects.filter(pk=cast.phase.pk).update(ends_at=timezone.now() - ago)


def stands(cast: Cast) -> Submission:
    return Standing.objects.get(entry__team=cast.team).evaluation.submission


def is_over(cast: Cast) -> bool:
    return Phase.objects.get(pk=cast.phase.pk).over_at is not None


def test_while_the_reference_is_hidden_the_earlier_of_two_that_look_alike_stands(
    cast: Cast, alike: tuple[Submission, Submission]
) -> None:
    assert stands(cast) == alike[0]


def test_a_standing_keeps_no_digit_that_no_page_shows(cast: Cast, alike: tuple[Submission, Submission]) -> None:
    assert Standing.objects.get().metrics == {"psnr": 30.12, "ssim": 0.5}
    assert alike[0].evaluation.metrics["psnr"] == FIRST


def test_teams_that_look_alike_share_a_rank(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=FIRST)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=BETTER)

    rows = board_page(cast.phase, cast.rival).rows

    assert [(row.team, row.rank) for row in rows] == [("Bayer Street", 1), ("Night Shift", 1)]


def test_a_board_that_was_read_before_is_ordered_anew(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=FIRST)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=BETTER)
    board_page(cast.phase, cast.rival)
    end(cast)

    settle_phases()

    cast.phase.refresh_from_db()
    rows = board_page(cast.phase, cast.rival).rows
    assert [(row.team, row.rank) for row in rows] == [("Night Shift", 1), ("Bayer Street", 2)]


def test_once_it_is_over_the_unrounded_values_decide(cast: Cast, alike: tuple[Submission, Submission]) -> None:
    end(cast)

    assert settle_phases() == 1

    assert stands(cast) == alike[1]
    assert Standing.objects.get().metrics["psnr"] == BETTER
    assert settle_phases() == 0


def test_reopening_reverses_it(cast: Cast, alike: tuple[Submission, Submission]) -> None:
    end(cast)
    settle_phases()
    Phase.objects.update(ends_at=timezone.now() + timedelta(days=1))

    settle_phases()

    assert stands(cast) == alike[0]
    assert not is_over(cast)


def test_the_last_upload_has_its_time(cast: Cast) -> None:
    end(cast, ago=TIME_TO_FINISH - timedelta(minutes=1))
    settle_phases()
    assert not is_over(cast)


def test_waits_for_what_is_scored(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    end(cast)
    settle_phases()
    assert not is_over(cast)

    factories.record(submission.evaluation, psnr=FIRST)
    settle_phases()
    assert is_over(cast)


def test_a_trial_does_not_hold_it_up(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path, origin=Origin.TRIAL, user=cast.organiser)
    end(cast)

    settle_phases()

    assert is_over(cast)


def test_a_rescore_does_not_hold_it_up(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=FIRST)
    images = factories.reference_images(cast.phase)
    version = factories.publish_reference(cast.phase, images, tmp_path)
    version.save()
    Evaluation.objects.create(submission=submission, scoring_version=version, is_staged=True)
    end(cast)

    settle_phases()

    assert is_over(cast)


def test_waits_for_an_upload_that_was_opened_before_the_end(cast: Cast) -> None:
    upload = new_upload(
        cast.phase, cast.team, cast.participant, "predictions.zip", 100, timezone.now(), origin=Origin.PARTICIPANT
    )
    upload.save(force_insert=True)
    end(cast)
    settle_phases()
    assert not is_over(cast)

    Upload.objects.update(finish_before=timezone.now() - timedelta(seconds=1))
    settle_phases()
    assert is_over(cast)


def test_waits_for_an_open_phase_that_hides_one_of_the_images(cast: Cast, tmp_path: Path) -> None:
    # The factory's references are the same in every phase.
    other = factories.make_phase(tmp_path)
    end(cast)
    settle_phases()
    assert not is_over(cast)

    Phase.objects.filter(pk=other.pk).update(ends_at=timezone.now() - TIME_TO_FINISH)
    settle_phases()
    assert is_over(cast)
    assert Phase.objects.get(pk=other.pk).over_at is not None


def test_a_later_phase_that_hides_the_same_images_takes_it_back(
    cast: Cast, tmp_path: Path, alike: tuple[Submission, Submission]
) -> None:
    end(cast)
    settle_phases()
    assert stands(cast) == alike[1]

    factories.make_phase(tmp_path)
    settle_phases()

    assert not is_over(cast)
    assert stands(cast) == alike[0]


def test_a_phase_that_publishes_its_images_hides_none(cast: Cast, tmp_path: Path) -> None:
    factories.make_phase(tmp_path, publishes_images=True)
    end(cast)
    settle_phases()
    assert is_over(cast)


def test_a_phase_without_an_end_is_never_over(cast: Cast) -> None:
    Phase.objects.filter(pk=cast.phase.pk).update(ends_at=None)
    settle_phases()
    assert not is_over(cast)


def test_a_public_reference_has_nothing_to_hide(cast: Cast, alike: tuple[Submission, Submission]) -> None:
    Phase.objects.filter(pk=cast.phase.pk).update(publishes_images=True)

    assert settle(cast.phase.pk)

    assert Phase.objects.get(pk=cast.phase.pk).compared == Compared.EXACT
    assert stands(cast) == alike[1]
    assert not is_over(cast)


def test_beat_settles_what_an_earlier_version_left(cast: Cast, alike: tuple[Submission, Submission]) -> None:
    Phase.objects.update(compared=Compared.EXACT)
    Standing.objects.rebuild(Phase.objects.get(pk=cast.phase.pk))
    assert stands(cast) == alike[1]

    settle_task()

    assert stands(cast) == alike[0]
