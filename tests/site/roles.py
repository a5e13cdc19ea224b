"""Gives people of a test a role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayerboard.challenges import roles
from bayerboard.challenges.roles import Role

if TYPE_CHECKING:
    import pytest

    from bayerboard.challenges.models import Challenge

# Where the function is imported by its name.
READERS = ("bayerboard.teams.models", "bayerboard.submissions.models", "bayerboard.submissions.trials")


def make_viewer(person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a person read all that the organisers of every challenge read."""
    staff_role = roles.staff_role

    def with_viewer(user: Any, challenge: Challenge) -> Role:
        return max(staff_role(user, challenge), Role.VIEWER if user == person else Role.READER)

    for module in READERS:
        monkeypatch.setattr(f"{module}.staff_role", with_viewer)
