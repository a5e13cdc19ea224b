"""A track's page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.challenges.models import Download
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


def page_of(cast: Cast, role: str) -> Page:
    return Page(cast.client(role).get(cast.phase.track.get_absolute_url()))


@pytest.mark.parametrize("role", factories.ROLES)
def test_shows_protocol_phases_and_board(cast: Cast, role: str, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642)

    page = page_of(cast, role)

    assert "16 × 16 × 4" in page.text
    assert cast.phase.get_absolute_url() in page.links
    assert "Bayer Street" in page.text
    assert "31.86" in page.text


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_members_may_submit_and_download(cast: Cast, role: str) -> None:
    page = page_of(cast, role)

    assert {cast.phase.submit_url(), cast.phase.inputs_url()} <= page.links


@pytest.mark.parametrize("role", ["stranger", "signed_out"])
def test_others_are_told_to_join(cast: Cast, role: str) -> None:
    page = page_of(cast, role)

    assert cast.phase.submit_url() not in page.links
    assert cast.phase.inputs_url() not in page.links
    assert f"{cast.challenge.get_absolute_url()}#join" in page.links


@pytest.mark.parametrize("role", ["participant", "teammate", "rival", "stranger", "signed_out"])
def test_inputs_are_not_linked_before_their_release(cast: Cast, role: str) -> None:
    type(cast.phase).objects.update(inputs_released_at=timezone.now() + timedelta(hours=1))

    page = page_of(cast, role)

    assert cast.phase.inputs_url() not in page.links
    assert cast.phase.input_set is not None
    assert cast.phase.input_set.sha256 not in page.html


@pytest.mark.parametrize("role", ["participant", "rival", "stranger", "signed_out"])
def test_a_hidden_board_shows_nothing(cast: Cast, role: str, tmp_path: Path) -> None:
    type(cast.phase).objects.update(board="hidden")
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=31.8642)

    page = page_of(cast, role)

    assert "31.86" not in page.html
    assert "hidden for now" in page.text


def test_lists_released_downloads_only(cast: Cast) -> None:
    values = {"track": cast.phase.track, "filename": "kit.zip", "size_bytes": 5, "sha256": "0" * 64}
    kit = Download.objects.create(title="Kit", storage_key="downloads/kit.zip", **values)
    late = Download.objects.create(
        title="Late kit",
        storage_key="downloads/late.zip",
        released_at=timezone.now() + timedelta(hours=1),
        **values,
    )

    page = page_of(cast, "participant")

    assert kit.get_absolute_url() in page.links
    assert late.title not in page.text


def test_a_track_without_phases(cast: Cast) -> None:
    track = type(cast.phase.track).objects.create(
        challenge=cast.challenge, slug="empty", title="Empty", protocol_data=cast.phase.track.protocol_data
    )

    assert "not announced any phase" in Page(cast.client("stranger").get(track.get_absolute_url())).text


@pytest.mark.parametrize("path", ["challenges/nothing/{track}/", "challenges/{challenge}/nothing/"])
def test_unknown(cast: Cast, path: str) -> None:
    url = path.format(challenge=cast.challenge.slug, track=cast.phase.track.slug)

    assert cast.client("participant").get(f"/{url}").status_code == 404


def test_a_track_of_another_challenge(cast: Cast) -> None:
    other = factories.make_challenge()

    url = f"{other.get_absolute_url()}{cast.phase.track.slug}/"

    assert cast.client("participant").get(url).status_code == 404


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("participant").post(cast.phase.track.get_absolute_url()).status_code == 405
