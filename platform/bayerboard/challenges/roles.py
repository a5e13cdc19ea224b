"""Roles: what a person may do in one challenge."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from bayerboard.challenges.grants import GRANTS

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Challenge


class Role(IntEnum):
    """What a person may do in one challenge; a larger role may do all that a smaller one may.

    A reader is anybody, a participant is a member of a team that accepted the terms. A viewer (a co-author, a chair)
    reads all that organisers read and changes nothing. An organiser does everything but roles and deletion, an owner
    those too. Operators run the site.
    """

    READER = 0
    PARTICIPANT = 1
    VIEWER = 2
    ORGANISER = 3
    OWNER = 4
    OPERATOR = 5

    @property
    def reads_all(self) -> bool:
        """Whether hidden scores, archives and references of the challenge may be read."""
        return self >= Role.VIEWER

    @property
    def may_organise(self) -> bool:
        return self >= Role.ORGANISER

    @property
    def may_own(self) -> bool:
        """Whether roles may be given and the challenge deleted."""
        return self >= Role.OWNER


def staff_role(user: User | AnonymousUser, challenge: Challenge) -> Role:
    """Return the user's role among those who run the challenge; READER for all others, participants included."""
    if not user.is_authenticated:
        return Role.READER
    if user.is_superuser:
        return Role.OPERATOR
    if GRANTS not in user.remembered:
        grants = user.grants.order_by().values_list("challenge", "role")
        user.remembered[GRANTS] = {pk: Role[role.upper()] for pk, role in grants}
    roles: dict[int, Role] = user.remembered[GRANTS]
    return roles.get(challenge.pk, Role.READER)
