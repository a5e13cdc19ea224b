"""One policy for every outlet: which columns, rows, means, images and statistics a role may see of a phase now.

Pages, lists, mails, notices, exports and plots take its answer. It is a pure function, so that one table of tests
holds all of them; nothing else decides on visibility.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from bayerboard.challenges.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from scoring.protocol import Column, Protocol

# An upload that was opened before the end has so long to finish.
TIME_TO_FINISH = timedelta(minutes=30)


class BoardMode(StrEnum):
    """Who sees a board before it opens: the values of `Phase.board`."""

    OPEN = "open"
    HIDDEN = "hidden"
    OWN_ROW = "own-row"


class Rows(StrEnum):
    """Which rows of a board a reader sees."""

    NONE = "none"
    OWN = "own"
    ALL = "all"


class PhaseFacts(NamedTuple):
    """The facts of a phase on which visibility depends."""

    ends_at: datetime | None
    # Set once nothing of the phase is unfinished any more; see `leaderboards.settling`.
    over_at: datetime | None
    board: str
    board_opens_at: datetime | None
    publishes_images: bool
    shows_own_scores: bool

    def is_over(self, now: datetime) -> bool:
        """Whether nothing that is seen from now on can help a submission to the phase."""
        if self.ends_at is None or self.over_at is None:
            return False
        # The time again: a phase may have been extended since it was found to be over.
        return now >= self.ends_at + TIME_TO_FINISH

    def board_is_open(self, now: datetime) -> bool:
        """Whether everybody sees the whole board."""
        if self.board == BoardMode.OPEN:
            return True
        if self.board_opens_at is None or now < self.board_opens_at:
            return False
        # Uploads that were opened before the end may still be finished after it: a board that opens with the end, or
        # later, waits for them.
        opens_after_the_end = self.ends_at is not None and self.board_opens_at >= self.ends_at
        return self.is_over(now) if opens_after_the_end else True


@dataclass(frozen=True)
class Visibility:
    """What a role may see of a phase.

    `own_scores` are the means of the reader's own submissions; `subsets` are means over a part of the images; `images`
    are per-image scores, plots of them, worst images, and pictures that involve a reference; `statistics` are
    intervals and groups of equal rows; `provenance` is the worker, its libraries and the reference's hash;
    `derived_warnings` are warnings whose presence depends on an unrounded score.
    """

    rows: Rows
    own_scores: bool
    subsets: bool
    images: bool
    statistics: bool
    provenance: bool
    derived_warnings: bool

    @property
    def ranks(self) -> bool:
        """Whether ranks and best values are shown: one's own row alone says nothing about them."""
        return self.rows == Rows.ALL

    def columns(self, protocol: Protocol) -> tuple[Column, ...]:
        """Return the columns that may be shown: values of a subset tell more about a reference than one mean."""
        return tuple(column for column in protocol.columns if self.subsets or not protocol.is_of_subset(column))

    def warnings(self, stored: Iterable[dict[str, Any]], derived: frozenset[str]) -> list[dict[str, Any]]:
        """Return the stored warnings without those that tell something of a score that is not shown."""
        return [warning for warning in stored if self.derived_warnings or warning.get("code") not in derived]


ALL = Visibility(
    rows=Rows.ALL,
    own_scores=True,
    subsets=True,
    images=True,
    statistics=True,
    provenance=True,
    derived_warnings=True,
)


def visibility(role: Role, phase: PhaseFacts, now: datetime) -> Visibility:
    """Return what a role may see of a phase: a pure function of the three.

    A participant's role says nothing about whose submission it is: other teams' submissions have no page, and
    `Rows.OWN` keeps the reader's own row.
    """
    if role.reads_all:
        return ALL
    board_is_open = phase.board_is_open(now)
    own_scores = role == Role.PARTICIPANT and (phase.shows_own_scores or board_is_open)
    is_exact = phase.publishes_images or phase.is_over(now)
    if board_is_open:
        rows = Rows.ALL
    elif own_scores and phase.board == BoardMode.OWN_ROW:
        rows = Rows.OWN
    else:
        rows = Rows.NONE
    return Visibility(
        rows=rows,
        own_scores=own_scores,
        subsets=phase.publishes_images,
        images=phase.publishes_images and own_scores,
        statistics=board_is_open and is_exact,
        provenance=phase.publishes_images,
        derived_warnings=own_scores and is_exact,
    )
