"""Signing up, in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from bayerboard.accounts.models import User
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from tests.factories import Cast

pytestmark = pytest.mark.database

GOOD = {"username": "ada", "email": "ada@example.org", "password1": "a long passphrase"}


@pytest.mark.django_db
def test_signing_up_signs_in() -> None:
    client = Client()

    response = client.post("/accounts/signup/", GOOD, follow=True)

    user = User.objects.get(username="ada")
    assert response.context["user"] == user
    assert not user.is_staff
    assert not user.is_superuser


@pytest.mark.django_db
def test_signing_up_grants_nothing_that_was_not_asked() -> None:
    Client().post("/accounts/signup/", {**GOOD, "is_staff": "on", "is_superuser": "on"})

    user = User.objects.get(username="ada")
    assert not user.is_staff
    assert not user.is_superuser


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [{"password1": "short"}, {"password1": "password123"}, {"email": "nothing"}, {"username": ""}],
    ids=["short password", "common password", "no address", "no name"],
)
def test_signing_up_with_mistakes(wrong: dict[str, str]) -> None:
    response = Client().post("/accounts/signup/", {**GOOD, **wrong})

    assert 'class="errors"' in Page(response).html
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["ada", "Ada"])
def test_names_are_unique_in_any_case(name: str) -> None:
    factories.make_user("ada")

    Client().post("/accounts/signup/", {**GOOD, "username": name, "email": "other@example.org"})

    assert User.objects.count() == 1


def test_signing_up_leads_back_to_the_challenge(cast: Cast) -> None:
    url = cast.challenge.get_absolute_url()

    assert Client().post(f"/accounts/signup/?next={url}", {**GOOD, "next": url})["Location"] == url


@pytest.mark.parametrize("by", ["username", "email"])
def test_signing_in(cast: Cast, by: str) -> None:
    fields = {"login": getattr(cast.stranger, by), "password": "a long password"}

    response = Client().post("/accounts/login/", fields, follow=True)

    assert response.context["user"] == cast.stranger


def test_a_wrong_password(cast: Cast) -> None:
    response = Client().post("/accounts/login/", {"login": cast.stranger.username, "password": "nothing"})

    assert response.status_code == 200
    assert not response.context["user"].is_authenticated


def test_signing_out_takes_a_post(cast: Cast) -> None:
    client = cast.client("participant")

    assert client.get("/accounts/logout/").context["user"] == cast.participant
    assert not client.post("/accounts/logout/", follow=True).context["user"].is_authenticated
