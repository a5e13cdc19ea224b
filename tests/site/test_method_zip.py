"""Baselines to download."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from tests.factories import Cast


def url_of(cast: Cast, method: str = "mosaic") -> str:
    return f"{cast.phase.track.get_absolute_url()}baselines/{method}.zip"


@pytest.mark.parametrize("role", factories.ROLES)
def test_everybody_may_have_its_code_and_card(cast: Cast, role: str) -> None:
    response = cast.client(role).get(url_of(cast))

    with zipfile.ZipFile(BytesIO(response.content)) as archive:
        names = archive.namelist()
    assert any(name.endswith("CARD.md") for name in names)
    assert any(name.endswith("mosaic/model.py") for name in names)


def test_the_page_shows_the_hash_of_what_is_sent(cast: Cast) -> None:
    client = cast.client("stranger")

    page = Page(client.get(cast.phase.track.get_absolute_url()))

    assert url_of(cast) in page.links
    assert hashlib.sha256(client.get(url_of(cast)).content).hexdigest() in page.text


@pytest.mark.parametrize("method", ["nothing", "aim22-s7"])
def test_unknown(cast: Cast, method: str) -> None:
    assert cast.client("participant").get(url_of(cast, method)).status_code == 404


def test_a_baseline_that_the_track_does_not_offer(cast: Cast) -> None:
    type(cast.phase.track).objects.update(baselines=[])

    assert cast.client("participant").get(url_of(cast)).status_code == 404


def test_a_name_in_the_admin_that_no_baseline_has(cast: Cast) -> None:
    type(cast.phase.track).objects.update(baselines=["nothing"])

    assert cast.client("participant").get(url_of(cast, "nothing")).status_code == 404
    assert cast.client("participant").get(cast.phase.track.get_absolute_url()).status_code == 200


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("participant").post(url_of(cast)).status_code == 405
