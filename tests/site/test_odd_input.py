"""Addresses and forms that no browser sends: an answer, never a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from bayerboard.accounts.models import User
from tests import factories

if TYPE_CHECKING:
    from tests.factories import Cast

pytestmark = pytest.mark.database

HUGE = 10**30


@pytest.mark.parametrize(
    "url",
    [
        f"/submissions/{HUGE}/",
        f"/submissions/{HUGE}/status/",
        f"/submissions/{HUGE}/archive/",
        f"/submissions/{'9' * 5000}/",
        "/submissions/-1/",
        "/submissions/1%00/",
        "/challenges/%00/",
        "/challenges/a%00b/c/",
        "/challenges/../../etc/passwd",
        "/challenges/%F0%9F%8F%94/",
        "/challenges/ÿ/",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/challenges/" + "x" * 3000 + "/",
    ],
)
def test_addresses(cast: Cast, url: str) -> None:
    assert cast.client("participant").get(url).status_code == 404


@pytest.mark.parametrize("number", ["-1", "0", "1e3", "9" * 5000, "\0", "²", "١", "1;drop", " 1"])
def test_page_numbers_of_a_board(cast: Cast, number: str) -> None:
    assert cast.client("stranger").get(cast.phase.get_absolute_url(), {"page": number}).status_code == 200


@pytest.mark.parametrize("query", [f"entry__phase__track__challenge__id__exact={HUGE}", "p=99999", "q=%00", "o=9.-9"])
def test_filters_of_the_organisers_list(cast: Cast, query: str) -> None:
    User.objects.filter(pk=cast.organiser.pk).update(is_staff=True, is_superuser=True)

    response = cast.client("organiser").get(f"/admin/submissions/submission/?{query}", follow=True)

    assert response.status_code == 200


@pytest.mark.parametrize("pk", [HUGE, 0])
def test_cancelling_what_cannot_be(cast: Cast, pk: int) -> None:
    assert cast.client("participant").post(f"/submissions/{pk}/cancel/").status_code == 404


@pytest.mark.parametrize("query", ["?next=//evil.example/", "?next=https://evil.example/", "?next=javascript:alert(1)"])
def test_signing_in_does_not_lead_elsewhere(cast: Cast, query: str) -> None:
    response = Client().post(
        f"/accounts/login/{query}", {"login": cast.stranger.username, "password": "a long password"}
    )

    assert response["Location"] == "/"


@pytest.mark.parametrize("login", ["a\0b", "x" * 5000, "é", "%", "' or 1=1"])
def test_signing_in_with_odd_names(cast: Cast, login: str) -> None:
    response = Client().post("/accounts/login/", {"login": login, "password": "x\0y"})

    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("username", ["a\0b", "x" * 5000, "a/b", "\u202eabc"])
def test_signing_up_with_odd_names(username: str) -> None:
    fields = {"username": username, "email": "new@example.org", "password1": "a long passphrase"}

    response = Client().post("/accounts/signup/", fields)

    assert response.status_code == 200
    assert 'class="errors"' in response.content.decode()


def test_an_unknown_host_is_refused(cast: Cast) -> None:
    assert cast.client("participant").get("/", headers={"host": "evil.example"}).status_code == 400


def test_slugs_are_compared_exactly(cast: Cast) -> None:
    assert cast.client("stranger").get(cast.challenge.get_absolute_url().upper()).status_code == 404


def test_long_titles_fit(cast: Cast) -> None:
    factories.make_challenge(title="画" * 120, summary="\u202e" * 300, notice="é" * 300)

    assert cast.client("stranger").get("/").status_code == 200
