"""Who signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.functional import cached_property

if TYPE_CHECKING:
    from bayerboard.teams.models import Team


class User(AbstractUser):
    """A person. Our own class from the first day, since Django cannot swap it in later."""

    mails_notices = models.BooleanField(
        "E-mail me when a result is there",
        default=True,
        help_text="Also when an archive is rejected or its scoring breaks off. The site itself tells you in any case.",
    )

    @cached_property
    def organised_challenge_pks(self) -> frozenset[int]:
        """Remember, for one request, what the user organises: every row of a list asks."""
        return frozenset(self.organised_challenges.values_list("pk", flat=True))

    @cached_property
    def teams_by_challenge(self) -> dict[int, Team]:
        """Remember, for one request, the user's team in each challenge: a page asks in several places."""
        memberships = self.memberships.select_related("team").order_by()
        return {membership.challenge_id: membership.team for membership in memberships}
