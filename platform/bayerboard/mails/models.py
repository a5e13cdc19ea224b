"""Mails: a row for each, written in the transaction that makes it true, and sent later by a worker.

A row says to whom and about which object; the text is written at sending, from the data of that moment.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from bayerboard.lib.tasks import publish_on_commit
from bayerboard.mails.kinds import mail_kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MAIL_TASK = "workers.mails.send_mails"
MAIL_TRIES = 6
FIRST_WAIT_S = 60
# Longer than any talk with a mail server: each of its answers may take EMAIL_TIMEOUT.
CLAIM = timedelta(minutes=10)
# So long a row is kept, whatever its state: nobody waits for an older mail.
KEPT = timedelta(days=30)


class State(models.TextChoices):
    """How far a mail has come."""

    PENDING = "pending", "waits"
    CLAIMED = "claimed", "being sent"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
    DROPPED = "dropped", "not wanted any more"


class MailQuerySet(models.QuerySet["Mail"]):
    """Sets of mails."""

    def queue(self, mails: Sequence[Mail]) -> None:
        """Store mails, and wake a worker; nothing where the site sends no mail.

        Call it inside the transaction that makes them true.
        """
        if not mails or not settings.EMAIL_HOST:
            return
        self.bulk_create(mails)
        publish_on_commit(MAIL_TASK)

    def due(self) -> MailQuerySet:
        """Keep those to send now, the first in line first."""
        waiting = self.filter(state=State.PENDING, due_at__lte=timezone.now())
        return waiting.order_by("priority", "due_at", "pk")

    def take_back(self) -> None:
        """Put mails whose claim has run out back in line, or give them up after their last try."""
        lost = self.filter(state=State.CLAIMED, claimed_until__lte=timezone.now())
        lost.filter(attempts__gte=MAIL_TRIES).update(state=State.FAILED, claimed_until=None)
        lost.update(state=State.PENDING, claimed_until=None)

    def forget_old(self, now: datetime | None = None) -> int:
        """Delete mails that are older than a month; return how many."""
        return self.filter(created_at__lt=(now or timezone.now()) - KEPT).delete()[0]


class Mail(models.Model):
    """One mail to one address."""

    kind = models.CharField(max_length=30)
    priority = models.PositiveSmallIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="mails")
    # In lower case, so that one mailbox has one limit.
    address = models.EmailField(max_length=254)
    about = models.PositiveBigIntegerField(null=True, help_text="The key of the object that the kind of mail tells of.")
    data = models.JSONField(default=dict, blank=True, help_text="Further keys of objects, and nothing else.")
    client = models.GenericIPAddressField(null=True, help_text="Who asked for it, for the limit of account mails.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    # None while it is claimed: it is never claimed again.
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    objects = models.Manager.from_queryset(MailQuerySet)()

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=["state", "priority", "due_at"], name="mail_line"),
            models.Index(fields=["address", "created_at"], name="mail_address_limit"),
            models.Index(fields=["client", "created_at"], name="mail_client_limit", condition=Q(client__isnull=False)),
            models.Index(fields=["kind", "about"], name="mail_about"),
        )

    def __str__(self) -> str:
        return f"mail {self.pk} ({self.kind})"

    @classmethod
    def make(
        cls,
        kind: str,
        address: str,
        *,
        user_id: int | None = None,
        about: int | None = None,
        client: str | None = None,
    ) -> Mail:
        """Return an unsaved mail of a registered kind."""
        registered = mail_kind(kind)
        if registered is None:
            raise ValueError(f"There is no kind of mail with the code {kind}.")
        return cls(
            kind=kind,
            priority=registered.priority,
            address=address.lower(),
            user_id=user_id,
            about=about,
            client=client,
        )

    def claim(self) -> bool:
        """Take the mail for sending; False where another worker was faster."""
        kind = mail_kind(self.kind)
        until = timezone.now() + CLAIM if kind is not None and kind.at_least_once else None
        waiting = Mail.objects.filter(pk=self.pk, state=State.PENDING, attempts=self.attempts)
        if not waiting.update(state=State.CLAIMED, claimed_until=until, attempts=F("attempts") + 1):
            return False
        self.attempts += 1
        return True

    def mark_sent(self) -> None:
        """Note that the mail server took it."""
        self._update_claimed(state=State.SENT, sent_at=timezone.now())

    def give_up(self) -> None:
        """Send it never."""
        self._update_claimed(state=State.FAILED)

    def drop(self) -> None:
        """Leave it, since nobody wants it any more."""
        self._update_claimed(state=State.DROPPED)

    def put_off(self) -> None:
        """Send it later, after a wait that grows; after the last try, never."""
        if self.attempts >= MAIL_TRIES:
            self.give_up()
            return
        due_at = timezone.now() + timedelta(seconds=FIRST_WAIT_S * 2**self.attempts)
        self._update_claimed(state=State.PENDING, due_at=due_at)

    def _update_claimed(self, **fields: object) -> None:
        # The attempts tell our claim from one that another worker made after ours had run out.
        held = Mail.objects.filter(pk=self.pk, state=State.CLAIMED, attempts=self.attempts)
        held.update(claimed_until=None, **fields)
