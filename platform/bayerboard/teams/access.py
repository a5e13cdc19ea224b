"""Who may have the data of a challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayerboard.challenges.roles import Role
from bayerboard.teams.models import role_of
from scoring.manifest import Manifest
from scoring.problems import Problem, problem

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Challenge, Phase


def may_download(user: User | AnonymousUser, challenge: Challenge) -> bool:
    """Whether the user accepted the terms, or helps to run the challenge."""
    return role_of(user, challenge) >= Role.PARTICIPANT


def inputs_refusal(user: User | AnonymousUser, phase: Phase) -> Problem | None:
    """Return why the user may not have the phase's inputs, nor know their names; None where they may.

    Before their release only those have them who read everything, and then all who accepted the terms.
    """
    challenge = phase.track.challenge
    if role_of(user, challenge).reads_all:
        return None
    if not phase.inputs_are_released():
        return problem("inputs-not-released", phase=phase.title)
    return None if may_download(user, challenge) else problem("not-a-participant")


def known_manifest(user: User | AnonymousUser, phase: Phase) -> Manifest:
    """Return the public manifest, which names the inputs; an empty one for who may not know them."""
    return phase.manifest if inputs_refusal(user, phase) is None else Manifest(())
