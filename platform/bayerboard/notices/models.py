"""Notices: a person is told, on the site and by e-mail, when a result, a rejection or a failure is there.

They are written in the transaction that stores what they tell of, so that neither exists without the other, and so are
their mails, which go out later (see `bayerboard.mails`). A mail that fails changes nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Prefetch, Subquery
from django.dispatch import receiver
from django.utils import timezone

from bayerboard.accounts.models import User
from bayerboard.challenges.models import Phase
from bayerboard.evaluations.models import Evaluation, Status, evaluation_ended
from bayerboard.mails.models import Mail
from bayerboard.submissions.models import Submission

if TYPE_CHECKING:
    from collections.abc import Iterable

# The kind of their mails: `notices/mail.py`.
MAIL_KIND = "notice"
# Beyond it the bell says only that there are more.
COUNT_AT_MOST = 99


class Kind(models.TextChoices):
    """What a notice tells of."""

    RESULT = "result", "scored"
    REJECTION = "rejection", "rejected"
    FAILURE = "failure", "scoring broke off"
    RESCORE = "rescore", "scored again"


KIND_OF_END = {Status.SCORED: Kind.RESULT, Status.REJECTED: Kind.REJECTION, Status.FAILED: Kind.FAILURE}


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Sets of notices."""

    def of(self, user: User) -> NoticeQuerySet:
        return self.filter(user=user)

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at=None)

    def with_results(self) -> NoticeQuerySet:
        """Fetch what a list of notices shows, however long, in a fixed number of queries."""
        submissions = Submission.objects.with_current_evaluation()
        return self.prefetch_related(Prefetch("submission", queryset=submissions))

    def mark_read(self) -> int:
        """Mark these as seen; a look at what was seen before writes nothing."""
        pks = list(self.unread().values_list("pk", flat=True))
        return self.model.objects.filter(pk__in=pks).update(read_at=timezone.now()) if pks else 0

    def announce(self, submissions: Iterable[Submission], kind: Kind) -> None:
        """Tell those whom each submission concerns. Call inside the transaction that makes it true."""
        told = [
            (Notice(user=user, submission=submission, kind=kind), address)
            for submission in submissions
            for user, address in readers_of(submission)
        ]
        self.bulk_create(notice for notice, _ in told)
        Mail.objects.queue(
            [
                Mail.make(MAIL_KIND, address, user_id=notice.user_id, about=notice.pk)
                for notice, address in told
                if address
            ]
        )


def readers_of(submission: Submission) -> list[tuple[User, str]]:
    """Return the team's members, or a trial's sender, each with the confirmed address that gets a mail, if any.

    An address that nobody confirmed is anybody's.
    """
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), primary=True, verified=True).values("email")
    active = User.objects.filter(is_active=True)
    if submission.is_trial:
        readers = active.filter(submissions=submission)
    else:
        readers = active.filter(memberships__team=submission.entry.team_id)
    return [
        (user, (user.mails_notices and user.confirmed_address) or "")
        for user in readers.annotate(confirmed_address=Subquery(confirmed[:1])).order_by("pk")
    ]


class Notice(models.Model):
    """One thing that one person is told."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    objects = models.Manager.from_queryset(NoticeQuerySet)()

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=["user", "read_at"], name="notice_unread"),)

    def __str__(self) -> str:
        return f"{self.kind} of submission {self.submission_id} for {self.user}"


@receiver(evaluation_ended)
def tell_of_the_end(evaluation: Evaluation, **signal: Any) -> None:
    """Tell of an evaluation that ended: only where it is the one that pages show, and nobody cancelled it."""
    kind = KIND_OF_END.get(Status(evaluation.status))
    submission = evaluation.submission
    shown = Phase.objects.filter(pk=submission.entry.phase_id, published_version=evaluation.scoring_version_id)
    if kind is not None and not evaluation.is_staged and shown.exists():
        Notice.objects.announce([submission], kind)


def unread_label(user: User) -> str:
    """Return how many a person has not seen, as the bell shows it; nothing for none."""
    count = Notice.objects.of(user).unread()[: COUNT_AT_MOST + 1].count()
    return f"{COUNT_AT_MOST}+" if count > COUNT_AT_MOST else str(count or "")
