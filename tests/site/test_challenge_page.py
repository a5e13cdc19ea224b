"""A challenge's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from tests.factories import Cast


@pytest.mark.parametrize("role", factories.ROLES)
def test_shows_tracks_terms_and_description(cast: Cast, role: str) -> None:
    type(cast.challenge).objects.update(description="About *RAW*.", notice="Synthetic data.")

    page = Page(cast.client(role).get(cast.challenge.get_absolute_url()))

    assert cast.phase.track.get_absolute_url() in page.links
    assert "Be fair." in page.text
    assert "<em>RAW</em>" in page.html
    assert "Synthetic data." in page.text


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_tells_members_their_team(cast: Cast, role: str) -> None:
    page = Page(cast.client(role).get(cast.challenge.get_absolute_url()))

    assert "You take part" in page.text
    assert "Bayer Street" in page.text


def test_offers_a_stranger_to_join(cast: Cast) -> None:
    page = Page(cast.client("stranger").get(cast.challenge.get_absolute_url()))

    assert f"/join/{cast.challenge.slug}/" in page.links
    assert "Bayer Street" not in page.text


def test_offers_an_account_to_who_is_signed_out(cast: Cast) -> None:
    page = Page(cast.client("signed_out").get(cast.challenge.get_absolute_url()))

    assert f"/accounts/login/?next={cast.challenge.get_absolute_url()}" in page.links


def test_does_not_run_what_an_organiser_writes(cast: Cast) -> None:
    type(cast.challenge).objects.update(
        description='<script>alert(1)</script> [x](javascript:alert(1)) <p onclick="x()">',
        terms="<img src=x onerror=alert(1)>",
    )

    page = Page(cast.client("stranger").get(cast.challenge.get_absolute_url()))

    assert page.violations == []


def test_unknown_challenge(cast: Cast) -> None:
    assert cast.client("participant").get("/challenges/nothing/").status_code == 404


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("participant").post(cast.challenge.get_absolute_url()).status_code == 405
