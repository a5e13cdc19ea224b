"""Takes submissions off the board, and puts them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from bayerboard.challenges.audit import Act, record
from bayerboard.leaderboards.models import Standing
from bayerboard.submissions.models import Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User


@transaction.atomic
def set_disqualified(
    submissions: Sequence[Submission], *, disqualified: bool, by: User | AnonymousUser | None, reason: str = ""
) -> None:
    """Disqualify the submissions, or take that back; boards and audit log follow in the same transaction."""
    act, moment = (Act.DISQUALIFIED, timezone.now()) if disqualified else (Act.REQUALIFIED, None)
    for submission in submissions:
        challenge = submission.entry.phase.track.challenge
        before = {"disqualified": submission.disqualified_at is not None, "reason": submission.disqualified_reason}
        after = {"disqualified": disqualified, "reason": reason, "team": submission.entry.team.name}
        record(challenge, by, act, f"submission {submission.pk}", before, after, reason)
    pks = [submission.pk for submission in submissions]
    Submission.objects.filter(pk__in=pks).update(disqualified_at=moment, disqualified_reason=reason)
    # In one order, so that two of these do not wait for each other.
    for entry in sorted({submission.entry for submission in submissions}, key=lambda entry: entry.pk):
        Standing.objects.refresh(entry)
