"""Disqualifying a submission, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from bayerboard.submissions.models import Submission
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

    from tests.factories import Cast


@pytest.fixture
def boss(cast: Cast) -> Client:
    client = cast.client("signed_out")
    user = factories.make_user("boss", is_staff=True, is_superuser=True)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def act(boss: Client, action: str, *submissions: Submission) -> Page:
    fields = {"action": action, "_selected_action": [submission.pk for submission in submissions]}
    return Page(boss.post(reverse("admin:submissions_submission_changelist"), fields, follow=True))


def board(cast: Cast) -> str:
    return Page(cast.client("signed_out").get(cast.phase.get_absolute_url())).text


def test_the_board_shows_the_next_best_at_once(boss: Client, cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    best = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=30.5)

    page = act(boss, "disqualify", best)

    assert "1 changed; the boards are up to date." in page.text
    assert page.text.count("scored, disqualified") == 1
    assert "31.00" not in board(cast)
    assert board(cast).index("Night Shift") < board(cast).index("Bayer Street")


def test_it_can_be_undone(boss: Client, cast: Cast, tmp_path: Path) -> None:
    best = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)
    act(boss, "disqualify", best)
    assert "No scores yet" in board(cast)

    act(boss, "requalify", best)

    assert "31.00" in board(cast)
    assert Submission.objects.get().disqualified_at is None


def test_several_teams_at_once(boss: Client, cast: Cast, tmp_path: Path) -> None:
    sent = [factories.make_scored(cast.phase, team, tmp_path, psnr=30) for team in (cast.team, cast.rivals)]

    act(boss, "disqualify", *sent)

    assert "No scores yet" in board(cast)


def test_a_second_time_keeps_the_first_date(boss: Client, cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)
    act(boss, "disqualify", submission)
    first = Submission.objects.get().disqualified_at

    page = act(boss, "disqualify", submission)

    assert "0 changed" in page.text
    assert Submission.objects.get().disqualified_at == first


def test_what_is_not_scored_yet_stays_off_the_board(boss: Client, cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    act(boss, "disqualify", submission)

    factories.record(submission.evaluation, psnr=31)

    assert "No scores yet" in board(cast)


def test_the_reason_is_told_to_the_team(boss: Client, cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31)
    act(boss, "disqualify", submission)
    Submission.objects.update(disqualified_reason="Extra data in a closed track.")

    page = Page(cast.client("participant").get(submission.get_absolute_url()))

    assert "Extra data in a closed track." in page.text
    assert "Rank" not in page.text
