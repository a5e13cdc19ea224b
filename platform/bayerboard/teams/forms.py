"""Joining a challenge."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from baselines.catalogue import METHODS
from bayerboard.teams.models import Membership, Team
from bayerboard.teams.senders import ORGANISERS

if TYPE_CHECKING:
    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Challenge

NAME_TAKEN = "Another team already has this name. Choose a different one."
NAME_UNSEEN = "The name holds characters that nobody sees. Type it again."


def is_taken(challenge: Challenge, name: str) -> bool:
    """Say whether a reader could take the name for another team's, a baseline's or the organisers'.

    Compared here and not by the database: SQLite knows the upper and lower case of ASCII alone.
    """
    taken = {_compared(team) for team in challenge.teams.values_list("name", flat=True)} | {_compared(ORGANISERS)}
    taken |= {_compared(method.title) for method in METHODS}
    return _compared(name) in taken


def _compared(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


class JoinForm(forms.Form):
    """A team name and the terms; a single participant is a team of one."""

    team_name = forms.CharField(label="Team name", max_length=60, help_text="Shown on the leaderboards.")
    accept_terms = forms.BooleanField(
        label="I accept the terms", error_messages={"required": "To take part, accept the terms."}
    )

    def __init__(self, challenge: Challenge, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.challenge = challenge
        if not challenge.terms:
            del self.fields["accept_terms"]

    def clean_team_name(self) -> str:
        name = " ".join(self.cleaned_data["team_name"].split())
        if not name.isprintable():
            raise ValidationError(NAME_UNSEEN)
        if is_taken(self.challenge, name):
            raise ValidationError(NAME_TAKEN)
        return name

    def join(self, user: User) -> Membership | None:
        """Make the team and its first member; None, with an error on the form, when somebody was faster."""
        try:
            with transaction.atomic():
                team = Team.objects.create(challenge=self.challenge, name=self.cleaned_data["team_name"])
                return Membership.objects.create(
                    challenge=self.challenge, team=team, user=user, terms_sha256=self.challenge.terms_sha256
                )
        except IntegrityError:
            self.add_error("team_name", NAME_TAKEN)
            return None
