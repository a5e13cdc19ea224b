"""What somebody sent is never deleted along with something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db.models import ProtectedError
from django.test import Client

from bayerboard.accounts.models import User
from bayerboard.challenges.grants import give_role
from bayerboard.challenges.models import Challenge
from bayerboard.lib.storage import object_store
from bayerboard.submissions.models import Submission
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

pytestmark = pytest.mark.database


@pytest.mark.parametrize("what", ["challenge", "track", "phase", "team", "participant", "entry"])
def test_is_refused_once_there_is_a_submission(cast: Cast, tmp_path: Path, what: str) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    objects = {
        "challenge": cast.challenge,
        "track": cast.phase.track,
        "phase": cast.phase,
        "team": cast.team,
        "participant": cast.participant,
        "entry": submission.entry,
    }

    with pytest.raises(ProtectedError):
        objects[what].delete()

    assert Submission.objects.get() == submission


def test_a_submission_keeps_its_evaluations(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    with pytest.raises(ProtectedError):
        submission.delete()


def test_a_reference_that_something_was_scored_against_stays(cast: Cast) -> None:
    version = cast.phase.published_version
    assert version is not None

    with pytest.raises(ProtectedError):
        version.reference_set.delete()


@pytest.mark.django_db
def test_a_challenge_that_nobody_used_can_go() -> None:
    challenge: Challenge = factories.make_challenge()
    organiser: User = factories.make_user()
    give_role(challenge, organiser, "organiser", by=None)

    challenge.delete()

    assert not Challenge.objects.filter(slug=challenge.slug).exists()
    assert User.objects.filter(pk=organiser.pk).exists()


@pytest.mark.parametrize("what", ["challenge", "track", "phase"])
def test_nothing_takes_a_reference_with_it(cast: Cast, what: str) -> None:
    objects = {"challenge": cast.challenge, "track": cast.phase.track, "phase": cast.phase}
    version = cast.phase.published_version
    assert version is not None

    with pytest.raises(ProtectedError):
        objects[what].delete()

    assert object_store().exists(version.reference_set.storage_key)


def test_the_admin_offers_no_deletion_of_a_reference(cast: Cast) -> None:
    version = cast.phase.published_version
    assert version is not None
    admin = factories.make_user(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(admin, "django.contrib.auth.backends.ModelBackend")

    assert client.post(f"/admin/challenges/referenceset/{version.reference_set_id}/delete/").status_code == 403
    assert type(version.reference_set).objects.filter(pk=version.reference_set_id).exists()
