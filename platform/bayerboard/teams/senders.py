"""Who may send an archive to a challenge, for which team, and with which origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayerboard.challenges.roles import Role
from bayerboard.lib.refusals import Refused
from bayerboard.teams.models import Team, organisers_team, role_of, team_of
from bayerboard.teams.origin import Origin
from scoring.problems import problem

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Challenge

# The team of the trials of those who run a challenge and did not join it.
ORGANISERS = "Organisers"


@dataclass(frozen=True)
class Sender:
    """The team that an archive would be of, and its origin."""

    challenge: Challenge
    # None for an organiser who did not join, as long as no such person has sent anything.
    team: Team | None
    origin: Origin

    def make_team(self) -> Team:
        """Return the team, made where it is the organisers' and not there yet."""
        if self.team is not None:
            return self.team
        return Team.objects.get_or_make(self.challenge, ORGANISERS, Team.Kind.ORGANISERS)


def sender_of(user: User | AnonymousUser, challenge: Challenge) -> Sender:
    """Return the team and origin of the user's archives; Refused for those who may send none.

    Who runs the challenge knows the references, and so sends trials alone, whether they joined it or not. Who reads
    as much and may change nothing sends nothing.
    """
    role, team = role_of(user, challenge), team_of(user, challenge)
    if role.may_organise:
        return Sender(challenge, team or organisers_team(challenge), Origin.TRIAL)
    if role.reads_all:
        raise Refused(problem("viewers-send-nothing"))
    if role < Role.PARTICIPANT or team is None:
        raise Refused(problem("not-a-participant"))
    return Sender(challenge, team, Origin.PARTICIPANT)
