"""The mails that tell of notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from bayerboard.mails.kinds import MailKind, Priority, register
from bayerboard.mails.links import absolute
from bayerboard.notices.models import MAIL_KIND, Notice
from bayerboard.submissions.scores import shown_scores
from bayerboard.teams.visibility import visibility_for

if TYPE_CHECKING:
    from bayerboard.mails.models import Mail

SHOWN_PROBLEMS = 10


def compose_notice(mail: Mail) -> EmailMessage | None:
    """Write to the address that is confirmed now; None where the notice is gone, or no mail is wanted any more."""
    notice = Notice.objects.with_results().select_related("user").filter(pk=mail.about or 0).first()
    if notice is None or not notice.user.is_active or not notice.user.mails_notices:
        return None
    address = EmailAddress.objects.filter(user=notice.user, primary=True, verified=True).first()
    return compose(notice, address.email) if address is not None else None


# Better none than two: nobody waits for it, and the site tells of the same.
register(MailKind(MAIL_KIND, Priority.NOTICE, at_least_once=False, compose=compose_notice))


def compose(notice: Notice, address: str) -> EmailMessage:
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
        headers={"Auto-Submitted": "auto-generated"},
    )
