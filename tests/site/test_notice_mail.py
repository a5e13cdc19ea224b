"""The mails of notices: to whom, with which text, at most once, and at nobody's cost."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.mails.models import MAIL_TASK, Mail, State
from bayerboard.notices.models import Kind, Notice
from bayerboard.results.recording import record_rejection
from bayerboard.teams.models import Team
from bayerboard.teams.origin import Origin
from bayerboard.teams.senders import ORGANISERS
from scoring.problems import SubmissionRejected, problem
from tests import factories
from workers.mails import send_mails

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings
    from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _sends_mail(settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    settings.SITE_URL = "https://bayerboard.example.org"


@pytest.fixture
def team_with_addresses(cast: Cast) -> Cast:
    for user in (cast.participant, cast.teammate):
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return cast


@pytest.fixture
def submission(team_with_addresses: Cast, tmp_path: Path) -> Submission:
    cast = team_with_addresses
    return factories.make_submission(cast.phase, cast.team, tmp_path, method_name="Learned inverse")


def score(submission: Submission) -> None:
    factories.record(submission.evaluation, psnr=31.8642, ssim=0.91234)


def states() -> set[str]:
    return set(Mail.objects.values_list("state", flat=True))


def test_the_whole_team_gets_the_result(cast: Cast, submission: Submission) -> None:
    score(submission)

    send_mails()

    assert sorted(message.to[0] for message in mail.outbox) == sorted([cast.participant.email, cast.teammate.email])
    message = mail.outbox[0]
    assert message.subject == f"Learned inverse (#{submission.pk}): scored"
    assert "PSNR: 31.86 dB" in message.body
    assert "SSIM: 0.9123" in message.body
    assert f"https://bayerboard.example.org/submissions/{submission.pk}/" in message.body
    assert "https://bayerboard.example.org/accounts/notices/" in message.body
    assert "<" not in message.body
    assert states() == {State.SENT}


def test_no_score_where_the_phase_hides_scores(cast: Cast, submission: Submission) -> None:
    type(cast.phase).objects.update(board="hidden", shows_own_scores=False)
    score(submission)

    send_mails()

    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert "31.8" not in f"{message.subject} {message.body}"
        assert "0.91" not in message.body
        assert "The scores appear when the organisers open them." in message.body


def test_a_rejection_says_what_to_fix(submission: Submission) -> None:
    evaluation = Evaluation.objects.claim_next("tester/1")
    assert evaluation is not None
    problems = [problem("image-missing", file=f"{number}.npy") for number in range(12)]
    record_rejection(evaluation, SubmissionRejected(problems), "a" * 64, {})

    send_mails()

    body = mail.outbox[0].body
    assert "- image-missing: " in body
    assert "- and 2 more" in body
    assert "Nothing was taken from your quota." in body


def test_a_failure_says_why(submission: Submission) -> None:
    evaluation = Evaluation.objects.claim_next("tester/1")
    assert evaluation is not None
    evaluation.give_up(code="time-limit-reached")

    send_mails()

    assert "Scoring took longer than this phase allows (30 min)." in mail.outbox[0].body


def test_a_rescore_says_so(cast: Cast, submission: Submission) -> None:
    score(submission)
    Notice.objects.all().delete()
    Mail.objects.all().delete()
    Notice.objects.announce([submission], Kind.RESCORE)

    send_mails()

    assert "scored again" in f"{mail.outbox[0].subject} {mail.outbox[0].body}"


def test_a_name_cannot_write_headers(submission: Submission) -> None:
    type(submission).objects.update(method_name="A\nBcc: everybody@example.org")
    score(submission)

    send_mails()

    assert mail.outbox[0].subject.startswith("A Bcc: everybody@example.org (#")
    assert mail.outbox[0].bcc == []


# --- Who wants none ---


def test_who_said_no_gets_none_and_is_told_on_the_site(cast: Cast, submission: Submission) -> None:
    type(cast.teammate).objects.filter(pk=cast.teammate.pk).update(mails_notices=False)
    score(submission)

    send_mails()

    assert [message.to for message in mail.outbox] == [[cast.participant.email]]
    assert Notice.objects.filter(user=cast.teammate).count() == 1


def test_who_says_no_while_it_waits_gets_none(cast: Cast, submission: Submission) -> None:
    score(submission)
    type(cast.teammate).objects.update(mails_notices=False)

    send_mails()

    assert mail.outbox == []
    assert states() == {State.DROPPED}


def test_who_is_gone_meanwhile_gets_none(cast: Cast, submission: Submission) -> None:
    score(submission)
    type(cast.teammate).objects.update(is_active=False)

    send_mails()

    assert mail.outbox == []


def test_a_notice_that_is_gone_meanwhile_is_not_mailed(submission: Submission) -> None:
    score(submission)
    Notice.objects.all().delete()

    send_mails()

    assert mail.outbox == []
    assert states() == {State.DROPPED}


def test_an_address_that_nobody_confirmed_gets_none(submission: Submission) -> None:
    EmailAddress.objects.update(verified=False)
    score(submission)

    assert not Mail.objects.exists()


def test_an_address_that_is_not_confirmed_any_more_gets_none(submission: Submission) -> None:
    score(submission)
    EmailAddress.objects.update(verified=False)

    send_mails()

    assert mail.outbox == []
    assert states() == {State.DROPPED}


def test_where_no_mail_goes_out_none_waits(submission: Submission, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    score(submission)

    assert not Mail.objects.exists()


def test_nobody_gets_a_notice_twice(submission: Submission) -> None:
    score(submission)

    for _ in range(3):
        send_mails()

    assert len(mail.outbox) == 2


def test_a_notice_is_never_claimed_twice(submission: Submission) -> None:
    score(submission)
    for waiting in Mail.objects.all():
        assert waiting.claim()
    Mail.objects.update(due_at=timezone.now() - timedelta(days=1))

    send_mails()

    assert mail.outbox == []
    assert set(Mail.objects.values_list("state", "claimed_until")) == {(State.CLAIMED, None)}


def test_a_worker_is_woken_once_the_result_is_stored(
    submission: Submission,
    published: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    published.clear()
    with django_capture_on_commit_callbacks(execute=True):
        score(submission)

    assert published == [(MAIL_TASK, {})]


def test_a_mail_that_the_server_refuses_changes_no_result(
    submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(backend: EmailBackend, messages: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({"a@example.org": (550, b"unknown")})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    score(submission)

    send_mails()

    assert states() == {State.FAILED}
    assert submission.evaluation.status == Status.SCORED


def test_a_mail_names_no_object_but_its_notice(submission: Submission) -> None:
    score(submission)

    told = set(Notice.objects.values_list("pk", "user_id", "user__email"))
    assert set(Mail.objects.values_list("about", "user_id", "address")) == told
    assert list(Mail.objects.values_list("data", "client")) == [({}, None)] * 2


def test_who_sent_a_trial_is_told_why_the_mail_comes(cast: Cast, tmp_path: Path) -> None:
    """And not "as a member of Organisers", a team without members."""
    user = cast.organiser
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    team = Team.objects.get_or_make(cast.challenge, ORGANISERS, Team.Kind.ORGANISERS)
    score(factories.make_submission(cast.phase, team, tmp_path, origin=Origin.TRIAL, user=user))
    send_mails()

    assert "You get this mail because you sent this trial." in mail.outbox[0].body
