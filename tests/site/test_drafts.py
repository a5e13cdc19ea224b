"""A challenge that is not listed yet is there for its organisers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayerboard.challenges.grants import give_role
from bayerboard.challenges.models import Challenge
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


OUTSIDERS = ("participant", "teammate", "rival", "stranger", "signed_out")


@pytest.fixture(autouse=True)
def _draft(cast: Cast) -> None:
    Challenge.objects.update(is_listed=False, title="The Secret Challenge")


def urls_of(cast: Cast) -> list[str]:
    track = cast.phase.track.get_absolute_url()
    return [
        cast.challenge.get_absolute_url(),
        track,
        cast.phase.get_absolute_url(),
        f"{track}baselines/mosaic.zip",
    ]


@pytest.mark.parametrize("role", OUTSIDERS)
def test_the_front_page_does_not_list_it(cast: Cast, role: str) -> None:
    assert "The Secret Challenge" not in cast.client(role).get("/").content.decode()


@pytest.mark.parametrize("role", OUTSIDERS)
def test_its_pages_are_not_there(cast: Cast, role: str) -> None:
    client = cast.client(role)

    for url in urls_of(cast):
        response = client.get(url)
        assert response.status_code == 404, url
        assert "Secret" not in response.content.decode()


@pytest.mark.parametrize("role", ["participant", "stranger"])
def test_its_forms_and_data_are_not_there(cast: Cast, role: str, tmp_path: Path) -> None:
    client = cast.client(role)

    assert client.get(cast.phase.submit_url()).status_code == 404
    assert client.post(cast.phase.submit_url(), factories.upload(cast.phase, tmp_path)).status_code == 404
    assert client.get(cast.phase.inputs_url()).status_code == 404
    assert client.post(f"/join/{cast.challenge.slug}/", {}).status_code == 404


def test_its_organisers_see_everything(cast: Cast) -> None:
    client = cast.client("organiser")

    assert "The Secret Challenge" in Page(client.get("/")).text
    for url in urls_of(cast):
        assert client.get(url).status_code == 200, url


def test_an_administrator_sees_it(cast: Cast) -> None:
    type(cast.stranger).objects.filter(pk=cast.stranger.pk).update(is_superuser=True)

    assert "The Secret Challenge" in Page(cast.client("stranger").get("/")).text


def test_organising_another_challenge_is_not_enough(cast: Cast) -> None:
    give_role(factories.make_challenge(), cast.stranger, "organiser", by=None)

    assert cast.client("stranger").get(cast.challenge.get_absolute_url()).status_code == 404
