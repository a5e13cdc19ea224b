"""The audit log of a challenge: who did what, when, and how it was before and afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Challenge

# The actor of acts that come from the command line.
COMMAND_LINE = "command line"
SUBJECT_LENGTH = 200
REASON_LENGTH = 300


class Act(models.TextChoices):
    """What was done, as a stable code."""

    CREATED = "created", "created"
    CHANGED = "changed", "changed"
    DELETED = "deleted", "deleted"
    ROLE_GIVEN = "role-given", "gave a role"
    ROLE_TAKEN = "role-taken", "took a role"
    RESCORE_PLANNED = "rescore-planned", "planned a rescore"
    RESCORE_PUBLISHED = "rescore-published", "published a rescore"
    DISQUALIFIED = "disqualified", "disqualified"
    REQUALIFIED = "requalified", "took back a disqualification"
    BASELINE_STARTED = "baseline-started", "started a baseline"
    TRIAL_DELETED = "trial-deleted", "deleted a trial"


class AppendOnly(Exception):
    """An entry of the audit log is neither changed nor removed."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Entries, which only go with their challenge."""

    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class AuditEntry(models.Model):
    """One act of a person, or of a command, in one challenge."""

    challenge = models.ForeignKey("challenges.Challenge", on_delete=models.CASCADE, related_name="audit_entries")
    at = models.DateTimeField(default=timezone.now, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)
    # The name as it was then: it stays when the account goes.
    actor = models.CharField(max_length=150)
    act = models.CharField(max_length=20, choices=Act.choices)
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "audit entries"
        indexes = (models.Index(fields=["challenge", "id"], name="audit_of_a_challenge"),)

    def __str__(self) -> str:
        return f"{self.actor} {self.get_act_display()}: {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly


def record(
    challenge: Challenge,
    user: User | AnonymousUser | None,
    act: Act,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write an entry. Call inside the transaction that makes it true; `user` None stands for a command.

    Only what may be read later belongs in `before` and `after`: no manifest, no key of the storage, no secret.
    """
    person = user if user is not None and user.is_authenticated else None
    return AuditEntry.objects.create(
        challenge=challenge,
        user=person,
        actor=person.username if person else COMMAND_LINE,
        act=act,
        subject=subject[:SUBJECT_LENGTH],
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason[:REASON_LENGTH],
    )
