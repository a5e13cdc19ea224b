"""The people whom a challenge file names, and their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress

from bayerboard.accounts.models import User
from bayerboard.challenges.grants import RoleGrant, give_role
from bayerboard.importing.report import Change

if TYPE_CHECKING:
    from bayerboard.challenges.models import Challenge
    from bayerboard.importing.report import ImportReport
    from bayerboard.importing.spec import ChallengeSpec
    from bayerboard.importing.spec_yaml import SpecProblem

# The keys of the file that name people, by the role that they give; the largest role comes first.
ROLE_KEYS = {
    "owners": RoleGrant.Role.OWNER,
    "organisers": RoleGrant.Role.ORGANISER,
    "viewers": RoleGrant.Role.VIEWER,
}


def find_people(spec: ChallengeSpec) -> tuple[list[tuple[User, str]], list[SpecProblem]]:
    """Return who gets which role, each person once and with the largest, and the names that belong to nobody."""
    roles: dict[User, str] = {}
    problems = []
    for key, role in ROLE_KEYS.items():
        for index, name in enumerate(getattr(spec, key)):
            found = _find_account(name)
            if isinstance(found, User):
                roles.setdefault(found, role)
            else:
                hint = "Create the account first, or name another."
                problems.append(spec.problem((key, index), found, hint))
    return list(roles.items()), problems


def _find_account(name: str) -> User | str:
    """Return the account of a user name or of a confirmed address, or a sentence that says what is wrong.

    An unconfirmed address is anybody's: whoever signs up with it first must not become an organiser.
    """
    if "@" not in name:
        users = list(User.objects.filter(username__iexact=name)[:2])
        return users[0] if len(users) == 1 else f"There is no account “{name}”."
    addresses = list(EmailAddress.objects.filter(email__iexact=name, verified=True).select_related("user")[:2])
    if len(addresses) == 1:
        user = addresses[0].user
        assert isinstance(user, User)
        return user
    return f"No account has confirmed the address “{name}”."


def write_people(report: ImportReport, challenge: Challenge, people: list[tuple[User, str]]) -> None:
    """Give the roles of the file; a challenge without an owner gets the first person who may change it."""
    present = {grant.user: grant.role for grant in challenge.grants.select_related("user")}
    owner = RoleGrant.Role.OWNER
    if owner not in {*present.values(), *(role for _, role in people)}:
        first = next((user for user, role in people if role == RoleGrant.Role.ORGANISER), None)
        people = [(user, owner if user == first else role) for user, role in people]
    for user, role in people:
        if user not in present:
            give_role(challenge, user, role, by=None)
            report.add(Change("created", f"{role} {user.username}", is_entered=True))
        elif present[user] != role:
            report.note(f"{role} {user.username}", f"remains {present[user]}: roles are changed by an owner")
    named = {user for user, _ in people}
    for user, role in sorted(present.items(), key=lambda item: item[0].username):
        if user not in named:
            report.note(f"{role} {user.username}", f"not in the file; remains {role}")
