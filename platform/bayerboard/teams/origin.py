"""Origins: where uploads and submissions come from, and the rules that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Mapping


class Origin(models.TextChoices):
    """Where an upload or a submission comes from; whoever makes one says it, and nobody guesses it afterwards."""

    PARTICIPANT = "participant", "participant"
    BASELINE = "baseline", "baseline"
    # By a person who runs the challenge: to see whether it works.
    TRIAL = "trial", "trial"
    # Of an earlier edition or of another site.
    IMPORT = "import", "import"
    # By a person who runs the challenge, for a team: after an outage, say.
    ON_BEHALF = "on-behalf", "on behalf of the team"

    @property
    def rules(self) -> Rules:
        return RULES[self]


@dataclass(frozen=True)
class Rules:
    """The rules of one origin."""

    # Refused when the team has used its quota.
    has_quota: bool
    # Used up of the team's quota, and so of what is left to its members.
    counts: bool
    # Refused before the phase opens and after it closes.
    has_deadline: bool
    # Refused when larger than the phase's `max_archive_bytes`.
    has_size_limit: bool
    is_shown_on_board: bool
    # Without it, a row on a board takes no rank.
    may_rank: bool


RULES: Mapping[Origin, Rules] = MappingProxyType(
    {
        #                         quota  counts deadln size   board  ranked
        Origin.PARTICIPANT: Rules(True, True, True, True, True, True),
        Origin.BASELINE: Rules(False, False, False, False, True, False),
        Origin.TRIAL: Rules(False, False, False, True, False, False),
        Origin.IMPORT: Rules(False, False, False, False, True, True),
        Origin.ON_BEHALF: Rules(False, True, False, True, True, True),
    }
)

COUNTED = tuple(origin for origin, rules in RULES.items() if rules.counts)
ON_BOARDS = tuple(origin for origin, rules in RULES.items() if rules.is_shown_on_board)


def known_origin(name: str) -> models.CheckConstraint:
    """Return the constraint that a row says its origin: an empty one would be a guess for whoever reads it."""
    return models.CheckConstraint(condition=Q(origin__in=Origin.values), name=name)
