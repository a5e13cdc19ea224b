"""Who has which role in a challenge, and how roles are given and taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from bayerboard.challenges.audit import Act, record

if TYPE_CHECKING:
    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Challenge

# Under which key a user remembers, for one request, their role in each challenge.
GRANTS = "roles by challenge"


class LastOwner(Exception):
    """The act would leave a challenge without an owner."""

    code = "last-owner"

    def __init__(self, challenge: Challenge) -> None:
        super().__init__(f"{challenge} would have no owner. Make somebody else an owner first.")


class RoleGrant(models.Model):
    """The role of a person among those who run a challenge."""

    class Role(models.TextChoices):
        OWNER = "owner", "owner"
        ORGANISER = "organiser", "organiser"
        VIEWER = "viewer", "viewer"

    challenge = models.ForeignKey("challenges.Challenge", on_delete=models.CASCADE, related_name="grants")
    # Nobody leaves with an account: the last owner must not, and the log tells who took a role.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=10, choices=Role.choices)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, editable=False
    )
    granted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("challenge", "pk")
        constraints = (models.UniqueConstraint(fields=["challenge", "user"], name="one_role_per_challenge"),)

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.challenge}"


def give_role(challenge: Challenge, user: User, role: str, *, by: User | None) -> bool:
    """Give a role in place of the one that the user has; return whether that changed anything.

    Raises LastOwner, with nothing changed. `by` None stands for a command.
    """
    with transaction.atomic():
        before = _locked(challenge).get(user.pk)
        if before == role:
            return False
        if before == RoleGrant.Role.OWNER:
            _check_other_owner(challenge, user)
        granted = {"role": role, "granted_by": by, "granted_at": timezone.now()}
        RoleGrant.objects.update_or_create(challenge=challenge, user=user, defaults=granted)
        record(challenge, by, Act.ROLE_GIVEN, f"user {user.username}", {"role": before}, {"role": role})
    user.remembered.pop(GRANTS, None)
    return True


def take_role(challenge: Challenge, user: User, *, by: User | None) -> bool:
    """Take the user's role; return whether there was one. Raises LastOwner, with nothing changed."""
    with transaction.atomic():
        before = _locked(challenge).get(user.pk)
        if before is None:
            return False
        if before == RoleGrant.Role.OWNER:
            _check_other_owner(challenge, user)
        RoleGrant.objects.filter(challenge=challenge, user=user).delete()
        record(challenge, by, Act.ROLE_TAKEN, f"user {user.username}", {"role": before}, {})
    user.remembered.pop(GRANTS, None)
    return True


def _locked(challenge: Challenge) -> dict[int, str]:
    """Return the role of each person, locked until the transaction ends: two owners cannot remove each other."""
    return dict(challenge.grants.select_for_update().order_by("pk").values_list("user_id", "role"))


def _check_other_owner(challenge: Challenge, user: User) -> None:
    if not challenge.grants.filter(role=RoleGrant.Role.OWNER).exclude(user=user).exists():
        raise LastOwner(challenge)
