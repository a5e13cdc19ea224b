"""Where a submission comes from, and all that follows from it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from bayerboard.challenges.models import Phase
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.leaderboards.board import board_page
from bayerboard.lib.refusals import Refused
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import quota_of
from bayerboard.teams.origin import RULES, Origin
from bayerboard.uploads.models import Upload, open_upload
from tests import factories
from tests.site.stored import assert_nothing_stored

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.teams.models import Team
    from tests.factories import Cast

pytestmark = pytest.mark.database


class Expected(NamedTuple):
    """A line of the table, as an organiser reads it."""

    has_quota: bool
    has_deadline: bool
    has_size_limit: bool
    counts: bool
    is_on_board: bool
    has_rank: bool


TABLE = {
    Origin.PARTICIPANT: Expected(True, True, True, True, True, True),
    Origin.BASELINE: Expected(False, False, False, False, True, False),
    Origin.TRIAL: Expected(False, False, True, False, False, False),
    Origin.IMPORT: Expected(False, False, False, False, True, True),
    Origin.ON_BEHALF: Expected(False, False, True, True, True, True),
}
each_origin = pytest.mark.parametrize("origin", Origin)


def team_of(cast: Cast, origin: Origin) -> Team:
    return factories.make_baseline_team(cast.challenge, "Mosaic") if origin == Origin.BASELINE else cast.team


def send(cast: Cast, origin: Origin, folder: Path, **fields: Any) -> Submission:
    user = cast.organiser if origin in {Origin.TRIAL, Origin.ON_BEHALF} else None
    return factories.make_submission(cast.phase, team_of(cast, origin), folder, origin=origin, user=user, **fields)


def assert_sent(cast: Cast, origin: Origin, folder: Path, refusal: str | None) -> None:
    """Return the submission is there, or it is refused with this code and nothing is stored."""
    cast.phase.refresh_from_db()
    if refusal is None:
        assert send(cast, origin, folder).origin == origin
        return
    with pytest.raises(Refused, match=refusal):
        send(cast, origin, folder)
    assert_nothing_stored()


def test_every_origin_has_its_rules() -> None:
    assert set(RULES) == set(Origin) == set(TABLE)


@each_origin
@pytest.mark.parametrize(
    ("quota", "code"), [({"quota_total": 0}, "quota-total-used"), ({"quota_per_day": 0}, "quota-day-used")]
)
def test_quota(cast: Cast, tmp_path: Path, origin: Origin, quota: dict[str, int], code: str) -> None:
    Phase.objects.update(**quota)

    assert_sent(cast, origin, tmp_path, code if TABLE[origin].has_quota else None)


@each_origin
@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"starts_at": timedelta(hours=1)}, "phase-not-open"),
        ({"ends_at": timedelta(hours=-1)}, "phase-closed"),
        ({"inputs_released_at": timedelta(hours=1)}, "inputs-not-released"),
    ],
)
def test_deadline(cast: Cast, tmp_path: Path, origin: Origin, dates: dict[str, timedelta], code: str) -> None:
    Phase.objects.update(**{name: timezone.now() + delay for name, delay in dates.items()})

    assert_sent(cast, origin, tmp_path, code if TABLE[origin].has_deadline else None)


@each_origin
def test_time_to_finish_of_an_archive_that_came_whole(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    opened_at = timezone.now() - timedelta(minutes=31)

    if TABLE[origin].has_deadline:
        with pytest.raises(Refused, match="upload-expired"):
            send(cast, origin, tmp_path, opened_at=opened_at)
    else:
        assert send(cast, origin, tmp_path, opened_at=opened_at).pk


@each_origin
def test_size_limit_of_an_archive_that_came_whole(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    Phase.objects.update(max_archive_bytes=1)
    cast.phase.refresh_from_db()

    if TABLE[origin].has_size_limit:
        with pytest.raises(Refused, match="archive-too-large"):
            send(cast, origin, tmp_path)
        assert not Submission.objects.exists()
    else:
        assert send(cast, origin, tmp_path).pk


@each_origin
def test_size_limit_of_an_upload_in_parts(cast: Cast, origin: Origin) -> None:
    cast.phase.max_archive_bytes = 1

    def announce() -> Upload:
        return open_upload(cast.phase, cast.team, cast.participant, "a.zip", 2, origin=origin)

    if TABLE[origin].has_size_limit:
        with pytest.raises(Refused, match="archive-too-large"):
            announce()
    else:
        assert announce().origin == origin


@each_origin
def test_a_phase_without_a_reference_takes_nothing_of_anybody(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    Phase.objects.update(published_version=None)

    assert_sent(cast, origin, tmp_path, "phase-not-ready")


@each_origin
def test_counts(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    submission = send(cast, origin, tmp_path)

    quota = quota_of(cast.phase, submission.entry.team)

    assert (quota.used_total, quota.used_today) == ((1, 1) if TABLE[origin].counts else (0, 0))


@each_origin
def test_counts_towards_rejected_attempts(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    submission = send(cast, origin, tmp_path)
    Evaluation.objects.update(status=Status.REJECTED)

    assert quota_of(cast.phase, submission.entry.team).rejected == TABLE[origin].counts


@each_origin
def test_row_and_rank(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    factories.record(send(cast, origin, tmp_path).evaluation, psnr=31)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=30)

    ranks = {row.team: row.rank for row in board_page(cast.phase, AnonymousUser()).rows}

    expected = TABLE[origin]
    own = {team_of(cast, origin).name: 1 if expected.has_rank else None} if expected.is_on_board else {}
    assert ranks == {**own, "Night Shift": 2 if expected.has_rank else 1}


@each_origin
def test_is_kept_with_submission_and_upload(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    submission = send(cast, origin, tmp_path)

    assert (submission.origin, Upload.objects.get().origin) == (origin, origin)


def test_who_sent_on_behalf_of_a_team_is_recorded(cast: Cast, tmp_path: Path) -> None:
    submission = send(cast, Origin.ON_BEHALF, tmp_path)

    assert (submission.submitted_by, submission.entry.team) == (cast.organiser, cast.team)
    assert "on behalf of the team" in cast.client("participant").get(submission.get_absolute_url()).content.decode()


@pytest.mark.parametrize("origin", [origin for origin in Origin if origin != Origin.BASELINE])
def test_only_a_baselines_team_sends_a_baseline(cast: Cast, tmp_path: Path, origin: Origin) -> None:
    with pytest.raises(ValueError, match="team of kind people"):
        factories.make_submission(cast.phase, cast.team, tmp_path, origin=Origin.BASELINE)
    with pytest.raises(ValueError, match="team of kind baseline"):
        factories.make_submission(cast.phase, factories.make_baseline_team(cast.challenge), tmp_path, origin=origin)


@pytest.mark.parametrize("model", [Submission, Upload])
@pytest.mark.parametrize("origin", ["", "guessed"])
def test_a_row_without_an_origin_is_refused_by_the_database(
    cast: Cast, tmp_path: Path, model: type[Submission | Upload], origin: str
) -> None:
    send(cast, Origin.PARTICIPANT, tmp_path)

    with pytest.raises(IntegrityError), transaction.atomic():
        model._default_manager.update(origin=origin)


def test_an_account_that_is_deleted_leaves_no_baseline(cast: Cast, tmp_path: Path) -> None:
    """An upload without a user is no baseline's: its limit of size holds all the same."""
    upload = open_upload(cast.phase, cast.team, cast.participant, "a.zip", 2, origin=Origin.PARTICIPANT)
    Upload.objects.update(opened_by=None)
    upload.refresh_from_db()
    cast.phase.max_archive_bytes = 1
    upload.phase = cast.phase
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"ab")

    with pytest.raises(Refused, match="archive-too-large"):
        upload.receive(archive)
