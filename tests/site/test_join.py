"""Joining a challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from baselines.catalogue import METHODS
from bayerboard.teams import forms
from bayerboard.teams.forms import is_taken
from bayerboard.teams.models import Membership, Team, team_of
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from bayerboard.challenges.models import Challenge
    from tests.factories import Cast

pytestmark = pytest.mark.database

GOOD = {"team_name": "Half a Pixel", "accept_terms": "on"}
TAKEN = "Another team already has this name."


def join(cast: Cast, role: str = "stranger", **changes: Any) -> Any:
    fields = {**GOOD, **changes}
    url = f"/join/{cast.challenge.slug}/"
    return cast.client(role).post(url, {key: value for key, value in fields.items() if value is not None})


def test_makes_a_team_of_one_that_accepted_the_terms(cast: Cast) -> None:
    response = join(cast)

    membership = Membership.objects.get(user=cast.stranger)
    assert response["Location"] == cast.challenge.get_absolute_url()
    assert membership.team.name == "Half a Pixel"
    assert membership.terms_sha256 == cast.challenge.terms_sha256
    assert not membership.team.is_baseline


def test_needs_the_terms(cast: Cast) -> None:
    response = join(cast, accept_terms=None)

    assert response.status_code == 400
    assert "To take part, accept the terms." in Page(response).text
    assert team_of(cast.stranger, cast.challenge) is None


def test_without_terms_there_is_nothing_to_accept(cast: Cast) -> None:
    type(cast.challenge).objects.update(terms="")

    join(cast, accept_terms=None)

    assert team_of(cast.stranger, cast.challenge) is not None


@pytest.mark.parametrize(
    "name",
    ["Bayer Street", "bayer street", "BAYER  STREET", " Bayer Street ", "Ｂａｙｅｒ Street"],
)
def test_refuses_a_name_that_is_taken(cast: Cast, name: str) -> None:
    response = join(cast, team_name=name)

    assert response.status_code == 400
    assert TAKEN in Page(response).text
    assert team_of(cast.stranger, cast.challenge) is None


def test_compares_names_beyond_ascii(cast: Cast) -> None:
    factories.make_team(cast.challenge, "Équipe Zürich")

    assert TAKEN in Page(join(cast, team_name="équipe ZÜRICH")).text


def test_a_second_click_finds_the_team_that_the_first_one_made(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def join_meanwhile(challenge: Challenge, name: str) -> bool:
        team = factories.make_team(challenge, name)
        Membership.objects.create(challenge=challenge, team=team, user=cast.stranger, terms_sha256="")
        return is_taken(challenge, name)

    monkeypatch.setattr(forms, "is_taken", join_meanwhile)

    assert join(cast)["Location"] == cast.challenge.get_absolute_url()
    assert Membership.objects.filter(user=cast.stranger).count() == 1


@pytest.mark.parametrize("name", ["Bayer\u200bStreet", "\u202eteertS", "a\u0000b"])
def test_refuses_characters_that_nobody_sees(cast: Cast, name: str) -> None:
    assert join(cast, team_name=name).status_code == 400
    assert team_of(cast.stranger, cast.challenge) is None


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_keeps_the_baselines_names_for_them(cast: Cast, method: Any) -> None:
    assert TAKEN in Page(join(cast, team_name=method.title.upper())).text


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_needs_a_name_that_fits(cast: Cast, name: str) -> None:
    assert join(cast, team_name=name).status_code == 400
    assert Team.objects.filter(challenge=cast.challenge).count() == 2


def test_takes_a_name_in_any_script(cast: Cast) -> None:
    join(cast, team_name="画素チーム 🏔")

    assert Page(cast.client("stranger").get(cast.challenge.get_absolute_url())).text.count("画素チーム 🏔") == 1


def test_another_challenge_may_have_a_team_of_the_same_name(cast: Cast) -> None:
    factories.make_team(factories.make_challenge(), "Half a Pixel")

    assert join(cast).status_code == 302


def test_somebody_who_was_faster_has_the_name(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    # between the check and the insert
    monkeypatch.setattr("bayerboard.teams.forms.is_taken", lambda challenge, name: False)

    response = join(cast, team_name="Bayer Street")

    assert response.status_code == 400
    assert TAKEN in Page(response).text


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_a_member_stays_in_the_team(cast: Cast, role: str) -> None:
    response = join(cast, role)

    assert response["Location"] == cast.challenge.get_absolute_url()
    assert team_of(cast.participant, cast.challenge) == cast.team
    assert not Team.objects.filter(name="Half a Pixel").exists()


def test_signed_out(cast: Cast) -> None:
    response = join(cast, "signed_out")

    assert response["Location"].startswith("/accounts/login/")
    assert not Team.objects.filter(name="Half a Pixel").exists()


def test_unknown_challenge(cast: Cast) -> None:
    assert cast.client("stranger").post("/join/nothing/", GOOD).status_code == 404


def test_takes_no_get(cast: Cast) -> None:
    assert cast.client("stranger").get(f"/join/{cast.challenge.slug}/").status_code == 405


def test_needs_the_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.stranger, "django.contrib.auth.backends.ModelBackend")

    assert client.post(f"/join/{cast.challenge.slug}/", GOOD).status_code == 403
    assert team_of(cast.stranger, cast.challenge) is None
