"""Roles: who may do what in a challenge."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bayerboard.accounts.models import User
from bayerboard.challenges.grants import LastOwner, RoleGrant, give_role, take_role
from bayerboard.challenges.models import Challenge, Phase
from bayerboard.challenges.roles import Role, staff_role
from bayerboard.teams.models import role_of
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast

pytestmark = pytest.mark.database

STAFF = ("owner", "organiser", "viewer")


def person(cast: Cast, role: str) -> User:
    """Return a new person with this role in the challenge."""
    user = factories.make_user(is_superuser=role == "operator")
    if role in STAFF:
        give_role(cast.challenge, user, role, by=None)
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("role", [*STAFF, "operator"])
def test_a_role_is_told_by_its_grant(cast: Cast, role: str) -> None:
    assert role_of(person(cast, role), cast.challenge) == Role[role.upper()]


def test_all_others_are_participants_or_readers(cast: Cast) -> None:
    assert role_of(cast.participant, cast.challenge) == Role.PARTICIPANT
    assert staff_role(cast.participant, cast.challenge) == Role.READER
    assert role_of(cast.stranger, cast.challenge) == Role.READER
    assert role_of(AnonymousUser(), cast.challenge) == Role.READER


def test_a_role_counts_in_its_own_challenge_alone(cast: Cast) -> None:
    assert role_of(cast.organiser, factories.make_challenge()) == Role.READER


def test_a_person_with_a_role_who_joined_keeps_the_role(cast: Cast) -> None:
    factories.make_team(cast.challenge, "Ours", cast.organiser)
    assert role_of(cast.organiser, cast.challenge) == Role.OWNER


def test_many_challenges_are_looked_up_once(cast: Cast) -> None:
    user = User.objects.get(pk=cast.organiser.pk)
    others = [factories.make_challenge() for _ in range(3)]

    with CaptureQueriesContext(connection) as queries:
        for challenge in (cast.challenge, *others):
            staff_role(user, challenge)

    assert len(queries) == 1


# --- Giving and taking ---


def test_a_role_is_given_changed_and_taken(cast: Cast) -> None:
    user = cast.stranger

    given = [give_role(cast.challenge, user, role, by=cast.organiser) for role in ("viewer", "organiser", "organiser")]

    assert given == [True, True, False]
    assert staff_role(user, cast.challenge) == Role.ORGANISER
    assert RoleGrant.objects.get(user=user).granted_by == cast.organiser
    assert [take_role(cast.challenge, user, by=cast.organiser) for _ in range(2)] == [True, False]
    assert staff_role(user, cast.challenge) == Role.READER


def test_the_last_owner_stays(cast: Cast) -> None:
    with pytest.raises(LastOwner, match="Make somebody else an owner first"):
        take_role(cast.challenge, cast.organiser, by=cast.organiser)
    with pytest.raises(LastOwner):
        give_role(cast.challenge, cast.organiser, "viewer", by=cast.organiser)
    assert staff_role(User.objects.get(pk=cast.organiser.pk), cast.challenge) == Role.OWNER


def test_an_owner_goes_where_there_is_another(cast: Cast) -> None:
    give_role(cast.challenge, cast.stranger, "owner", by=cast.organiser)
    assert take_role(cast.challenge, cast.organiser, by=cast.stranger)


def test_an_account_with_a_role_stays_until_the_role_is_taken(cast: Cast) -> None:
    give_role(cast.challenge, cast.stranger, "viewer", by=cast.organiser)
    with pytest.raises(ProtectedError):
        cast.stranger.delete()

    take_role(cast.challenge, cast.stranger, by=cast.organiser)
    cast.stranger.delete()


# --- Roles and acts ---


def requests(cast: Cast, submission: Submission) -> dict[str, tuple[str, bytes]]:
    """Return, by the name of each act, its address and a text that only an allowed answer contains."""
    page = submission.get_absolute_url()
    return {
        "read a draft": (cast.challenge.get_absolute_url(), cast.challenge.title.encode()),
        "download unreleased inputs": (cast.phase.inputs_url(), b"PK"),
        "read a hidden board": (cast.phase.get_absolute_url(), cast.team.name.encode()),
        "read a team's submission": (page, submission.method_name.encode()),
        "download a team's archive": (f"{page}archive/", b"PK"),
        "disqualify, in the admin": (reverse("admin:submissions_submission_change", args=[submission.pk]), b"isqualif"),
        "read the rescores, in the admin": (reverse("admin:evaluations_rescorerun_changelist"), b"escore"),
    }


READS_ALL = {
    "read a draft",
    "download unreleased inputs",
    "read a hidden board",
    "read a team's submission",
    "download a team's archive",
}
IN_THE_ADMIN = {"disqualify, in the admin", "read the rescores, in the admin"}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("operator", READS_ALL | IN_THE_ADMIN),
        ("owner", READS_ALL),
        ("organiser", READS_ALL),
        ("viewer", READS_ALL),
        ("rival", set()),
        ("stranger", set()),
    ],
)
def test_each_role_reads_as_much_as_it_may(cast: Cast, tmp_path: Path, role: str, allowed: set[str]) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    Challenge.objects.update(is_listed=False)
    Phase.objects.update(inputs_released_at=timezone.now() + timedelta(days=1), board="hidden")
    user = getattr(cast, role, None) or person(cast, role)

    done = set()
    for act, (address, proof) in requests(cast, submission).items():
        answer = client_of(user).get(address)
        if answer.status_code == 200 and proof in b"".join(answer):
            done.add(act)

    assert done == allowed


@pytest.mark.parametrize("role", [*STAFF, "operator"])
def test_nobody_but_its_team_cancels_a_submission(cast: Cast, tmp_path: Path, role: str) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)

    answer = client_of(person(cast, role)).post(f"{submission.get_absolute_url()}cancel/")

    assert answer.status_code == 404
    assert submission.evaluation.status == "queued"


# --- From before there were roles ---


@pytest.mark.django_db(transaction=True)
def test_the_earliest_organiser_becomes_the_owner() -> None:
    executor = MigrationExecutor(connection)
    before = executor.loader.project_state([("challenges", "0004_over")]).apps
    call_command("migrate", "challenges", "0004", verbosity=0)
    challenges = before.get_model("challenges", "Challenge")
    users = [factories.make_user(name) for name in ("ada", "ben", "cai")]
    first, second = (challenges.objects.create(slug=slug, title=slug) for slug in ("first", "second"))
    for challenge, user in ((first, users[1]), (first, users[0]), (second, users[2])):
        challenges.organisers.through.objects.create(challenge_id=challenge.pk, user_id=user.pk)

    call_command("migrate", verbosity=0)

    found = RoleGrant.objects.values_list("challenge__slug", "user__username", "role").order_by("pk")
    assert list(found) == [("first", "ben", "owner"), ("first", "ada", "organiser"), ("second", "cai", "owner")]
