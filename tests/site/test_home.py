"""The front page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


@pytest.mark.parametrize("role", factories.ROLES)
def test_lists_the_challenges_to_everybody(cast: Cast, role: str) -> None:
    page = Page(cast.client(role).get("/"))

    assert cast.challenge.title in page.text
    assert cast.challenge.get_absolute_url() in page.links


@pytest.mark.django_db
def test_says_when_there_is_no_challenge() -> None:
    assert "No challenges yet" in Page(Client().get("/")).text


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_shows_the_teams_recent_submissions_with_scores(cast: Cast, role: str, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642)

    page = Page(cast.client(role).get("/"))

    assert submission.get_absolute_url() in page.links
    assert "31.86" in page.text


@pytest.mark.parametrize("role", ["rival", "stranger", "signed_out"])
def test_shows_nobody_elses_submissions(cast: Cast, role: str, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642)

    page = Page(cast.client(role).get("/"))

    assert submission.method_name not in page.html
    assert "31.86" not in page.html


def test_recent_submissions_hide_scores_that_the_phase_hides(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642)

    page = Page(cast.client("participant").get("/"))

    assert "Scores are hidden for now" in page.text
    assert "31.86" not in page.html


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("participant").post("/").status_code == 405
