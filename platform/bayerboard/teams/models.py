"""Who competes: teams and their members. A single participant is a team of one."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from bayerboard.challenges.models import Challenge
from bayerboard.challenges.roles import Role, staff_role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User


# Under which key a user remembers, for one request, their team in each challenge.
TEAMS = "teams by challenge"


class TeamManager(models.Manager["Team"]):
    """Makes the teams that nobody joins."""

    def get_or_make(self, challenge: Challenge, name: str, kind: Team.Kind) -> Team:
        """Return the team of this name and kind, made where there is none.

        People who took the name for their team before keep it, and their rows.
        """
        names = chain([name], (f"{name} ({kind} {number})" for number in count(1)))
        teams = (self.get_or_create(challenge=challenge, name=name, defaults={"kind": kind})[0] for name in names)
        return next(team for team in teams if team.kind == kind)


class Team(models.Model):
    """A team of one challenge."""

    class Kind(models.TextChoices):
        PEOPLE = "people", "people"
        # Without members and without a rank.
        BASELINE = "baseline", "baseline"
        # Without members: that of the trials of those who run the challenge and did not join it.
        ORGANISERS = "organisers", "organisers"

    challenge = models.ForeignKey(Challenge, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PEOPLE, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_claimed_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When a worker last took work of this team: teams are served in turn.",
    )

    objects = TeamManager()

    class Meta:
        ordering = ("challenge", "name")
        constraints = (
            models.UniqueConstraint(fields=["challenge", "name"], name="team_name_unique"),
            models.UniqueConstraint(fields=["challenge"], condition=Q(kind="organisers"), name="team_of_organisers"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_baseline(self) -> bool:
        return self.kind == Team.Kind.BASELINE


class Membership(models.Model):
    """A person in a team, and the terms that they accepted when they joined."""

    # Beside the team's own, so that the database holds "one team per person and challenge".
    challenge = models.ForeignKey(Challenge, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    terms_sha256 = models.CharField(max_length=64)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("team", "joined_at")
        constraints = (models.UniqueConstraint(fields=["challenge", "user"], name="one_team_per_challenge"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a membership belongs to the challenge of its team, whoever makes it."""
        given: int | None = self.challenge_id
        if given is None:
            self.challenge_id = self.team.challenge_id
        if self.challenge_id != self.team.challenge_id:
            raise ValueError(f"{self.team} is a team of another challenge")
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuse a second team of the same person, which the form alone would leave to the database."""
        others = Membership.objects.filter(challenge=self.team.challenge_id, user=self.user_id).exclude(pk=self.pk)
        if others.exists():
            raise ValidationError("This person is in another team of the challenge.")


def team_of(user: User | AnonymousUser, challenge: Challenge) -> Team | None:
    """Return the user's team in the challenge; None for those who have not joined."""
    if not user.is_authenticated:
        return None
    if TEAMS not in user.remembered:
        memberships = user.memberships.select_related("team").order_by()
        user.remembered[TEAMS] = {membership.challenge_id: membership.team for membership in memberships}
    teams: dict[int, Team] = user.remembered[TEAMS]
    return teams.get(challenge.pk)


def organisers_team(challenge: Challenge) -> Team | None:
    """Return the team of the organisers' trials; None before the first one."""
    return challenge.teams.filter(kind=Team.Kind.ORGANISERS).first()


def role_of(user: User | AnonymousUser, challenge: Challenge) -> Role:
    """Return the user's role in the challenge, that of a participant included."""
    role = staff_role(user, challenge)
    if role == Role.READER and team_of(user, challenge) is not None:
        return Role.PARTICIPANT
    return role


def forget_teams(user: User) -> None:
    """Let the next `team_of` ask the database again, in the same request too."""
    user.remembered.pop(TEAMS, None)
