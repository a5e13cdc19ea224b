"""Sends the notices' e-mails: each at most once, later where the mail server is away, and never at anybody's cost."""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from bayerboard.notices.models import Mail, Notice
from bayerboard.submissions.scores import shown_scores
from bayerboard.teams.visibility import visibility_for

if TYPE_CHECKING:
    from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)

MAILS_PER_ROUND = 200
MAIL_TRIES = 6
FIRST_WAIT_S = 60
PERMANENT = 500  # SMTP's codes from here on: the same mail would be refused again
SHOWN_PROBLEMS = 10


def send_due() -> int:
    """Send what is due; return how many went out. Two of these at a time send nothing twice."""
    due = Notice.objects.filter(mail=Mail.PENDING, mail_due_at__lte=timezone.now()).order_by("pk")
    pks = list(due.values_list("pk", flat=True)[:MAILS_PER_ROUND])
    if not pks:
        return 0
    connection = get_connection()
    try:
        # Before anything is claimed: a mail server that is away costs no attempt.
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("mail server does not answer; %d notices wait: %s", len(pks), error)
        return 0
    try:
        return sum(_send_claimed(pk, connection) for pk in pks if _claim(pk))
    finally:
        connection.close()


def _claim(pk: int) -> bool:
    claimed = Notice.objects.filter(pk=pk, mail=Mail.PENDING).update(
        mail=Mail.SENDING, mail_attempts=F("mail_attempts") + 1
    )
    return claimed == 1


def _send_claimed(pk: int, connection: BaseEmailBackend) -> bool:
    notice = Notice.objects.with_results().select_related("user").get(pk=pk)
    address = EmailAddress.objects.filter(user=notice.user, primary=True, verified=True).first()
    if address is None or not notice.user.mails_notices:
        return _leave(notice, Mail.NONE)
    try:
        compose(notice, address.email, connection).send()
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as refusal:
        # The server said no, so that nothing went out.
        _put_off(notice, refusal)
        return False
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # It may have gone out before the line broke: better none than two.
        logger.warning("notice %s: its mail is given up: %s", pk, error)
        return _leave(notice, Mail.FAILED)
    Notice.objects.filter(pk=pk).update(mail=Mail.SENT)
    return True


def _leave(notice: Notice, state: Mail) -> bool:
    Notice.objects.filter(pk=notice.pk).update(mail=state)
    return False


def _put_off(notice: Notice, refusal: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> None:
    if isinstance(refusal, smtplib.SMTPResponseException):
        code = refusal.smtp_code
    else:
        code = max(code for code, _ in refusal.recipients.values())
    logger.warning("notice %s: the mail server refused it with %d", notice.pk, code)
    if code >= PERMANENT or notice.mail_attempts >= MAIL_TRIES:
        _leave(notice, Mail.FAILED)
        return
    due_at = timezone.now() + timedelta(seconds=FIRST_WAIT_S * 2**notice.mail_attempts)
    Notice.objects.filter(pk=notice.pk).update(mail=Mail.PENDING, mail_due_at=due_at)


def compose(notice: Notice, address: str, connection: BaseEmailBackend | None = None) -> EmailMessage:
    """Write the mail: plain text, without a score where the phase keeps scores from its teams."""
    submission = notice.submission
    phase, evaluation = submission.entry.phase, submission.evaluation
    seen = visibility_for(notice.user, phase)
    context = {
        "notice": notice,
        "submission": submission,
        "phase": phase,
        "challenge": phase.track.challenge,
        "evaluation": evaluation,
        "shows_scores": seen.own_scores,
        "scores": shown_scores(submission, seen),
        "problems": evaluation.errors[:SHOWN_PROBLEMS],
        "more_problems": max(0, len(evaluation.errors) - SHOWN_PROBLEMS),
        "submission_url": absolute(submission.get_absolute_url()),
        "settings_url": absolute(reverse("notice-settings")),
    }
    subject = f"{submission.method_name} (#{submission.pk}): {notice.get_kind_display()}"
    return EmailMessage(
        # A method's name may be anything; a header is one line.
        subject=" ".join(subject.split()),
        body=render_to_string("notices/mail.txt", context),
        to=[address],
        connection=connection,
        headers={"Auto-Submitted": "auto-generated"},
    )


def absolute(path: str) -> str:
    """Return the address of a page as the outside knows it."""
    return f"{settings.SITE_URL}{path}"
