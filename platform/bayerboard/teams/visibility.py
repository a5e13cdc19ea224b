"""Applies the visibility policy to a person: what may this user see of this phase now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from bayerboard.challenges.visibility import Visibility, visibility
from bayerboard.teams.models import role_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Phase


def visibility_for(user: User | AnonymousUser, phase: Phase, now: datetime | None = None) -> Visibility:
    """Return what the user may see of the phase."""
    return visibility(role_of(user, phase.track.challenge), phase.facts, now or timezone.now())
