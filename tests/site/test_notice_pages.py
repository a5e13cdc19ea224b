"""The bell, the page of notices, and the choice of e-mails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bayerboard.notices.models import Kind, Notice
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast


UNREAD = 'class="count"'


@pytest.fixture
def scored(cast: Cast, tmp_path: Path) -> Submission:
    return factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.8642, method_name="Learned inverse")


def unread(cast: Cast, role: str = "participant") -> int:
    return Notice.objects.filter(user__username=cast.user(role).username, read_at=None).count()


@pytest.mark.parametrize("role", ["participant", "teammate"])
def test_lists_what_became_of_the_teams_submissions(cast: Cast, scored: Submission, role: str) -> None:
    page = Page(cast.client(role).get("/notices/"))

    assert scored.get_absolute_url() in page.links
    assert "Learned inverse" in page.text
    assert "31.86" in page.text
    assert not page.violations


@pytest.mark.parametrize("role", ["rival", "stranger", "organiser"])
def test_others_read_nothing_of_it(cast: Cast, scored: Submission, role: str) -> None:
    page = Page(cast.client(role).get("/notices/"))

    assert "No notices yet" in page.text
    assert "Learned inverse" not in page.html
    assert UNREAD not in page.html


def test_hides_scores_that_the_phase_hides(cast: Cast, scored: Submission) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False)

    page = Page(cast.client("participant").get("/notices/"))

    assert "Scores are hidden for now" in page.text
    assert "31.86" not in page.html


def test_the_bell_counts_what_is_unread(cast: Cast, scored: Submission, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    assert "Notices, 2 unread" in cast.client("participant").get("/").content.decode()
    assert UNREAD not in cast.client("rival").get("/").content.decode()
    assert 'id="bell"' not in cast.client("signed_out").get("/").content.decode()


def test_the_bell_stops_counting_at_a_hundred(cast: Cast, scored: Submission) -> None:
    Notice.objects.bulk_create(Notice(user=cast.participant, submission=scored, kind=Kind.RESULT) for _ in range(120))

    assert "99+" in Page(cast.client("participant").get("/notices/bell/")).text


def test_what_was_shown_is_read(cast: Cast, scored: Submission) -> None:
    client = cast.client("participant")

    first, second = Page(client.get("/notices/")), Page(client.get("/notices/"))

    assert "unread" in first.html
    assert "unread" not in second.html
    assert (unread(cast), unread(cast, "teammate")) == (0, 1)


def test_what_stands_on_another_page_is_not(
    cast: Cast, scored: Submission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayerboard.pages.notices.NOTICES_PER_PAGE", 1)
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    cast.client("participant").get("/notices/")

    assert unread(cast) == 1


@pytest.mark.parametrize("page", ["", "status/"])
def test_opening_the_submission_is_reading_its_notice(cast: Cast, scored: Submission, page: str) -> None:
    cast.client("participant").get(scored.get_absolute_url() + page)

    assert (unread(cast), unread(cast, "teammate")) == (0, 1)


def test_an_organiser_who_looks_reads_it_for_nobody(cast: Cast, scored: Submission) -> None:
    cast.client("organiser").get(scored.get_absolute_url())

    assert unread(cast) == 1


def test_a_failure_says_why(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_submission(cast.phase, cast.team, tmp_path)
    submission.evaluation.__class__.objects.claim_next("tester/1").give_up(code="memory-limit-reached")  # type: ignore[union-attr]

    assert "more memory than a worker may use" in Page(cast.client("participant").get("/notices/")).text


@pytest.mark.database
def test_a_long_list_costs_no_more_queries(cast: Cast, scored: Submission, tmp_path: Path) -> None:
    type(cast.phase).objects.update(quota_per_day=100)
    cast.phase.refresh_from_db()
    client, counts = cast.client("participant"), []
    for _ in range(2):
        client.get("/notices/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/notices/")
        counts.append(len(queries))
        for _ in range(5):
            factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    assert counts[0] == counts[1]


def test_signed_out(cast: Cast) -> None:
    client = cast.client("signed_out")

    assert client.get("/notices/")["Location"] == "/accounts/login/?next=/notices/"
    assert client.get("/accounts/notices/")["Location"] == "/accounts/login/?next=/accounts/notices/"


@pytest.mark.django_db
def test_the_bell_of_who_signed_out_meanwhile_goes_and_asks_no_more(cast: Cast) -> None:
    answer = cast.client("signed_out").get("/notices/bell/")

    assert (answer.status_code, answer.content) == (286, b"")


@pytest.mark.parametrize("path", ["/notices/", "/notices/bell/"])
def test_takes_no_post(cast: Cast, path: str) -> None:
    assert cast.client("participant").post(path).status_code == 405


# --- By e-mail ---


def test_mails_are_on_until_one_says_no(cast: Cast) -> None:
    client = cast.client("participant")
    assert "checked" in client.get("/accounts/notices/").content.decode()

    page = Page(client.post("/accounts/notices/", {}, follow=True))

    cast.participant.refresh_from_db()
    assert not cast.participant.mails_notices
    assert "Saved." in page.text
    assert not page.violations


def test_and_on_again(cast: Cast) -> None:
    type(cast.participant).objects.update(mails_notices=False)

    cast.client("participant").post("/accounts/notices/", {"mails_notices": "on"})

    cast.participant.refresh_from_db()
    assert cast.participant.mails_notices


def test_needs_the_csrf_token(cast: Cast) -> None:
    assert cast.client("participant", enforce_csrf_checks=True).post("/accounts/notices/").status_code == 403


@pytest.mark.parametrize(("host", "words"), [("", "This site sends no mail."), ("mail.example.org", "main address")])
def test_says_whether_mail_goes_out(cast: Cast, settings: Settings, host: str, words: str) -> None:
    settings.EMAIL_HOST = host

    assert words in Page(cast.client("participant").get("/accounts/notices/")).text
