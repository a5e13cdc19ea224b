"""The policy of visibility: a pure function of role, phase and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest

from bayerboard.challenges.roles import Role
from bayerboard.challenges.visibility import ALL, TIME_TO_FINISH, PhaseFacts, Rows, Visibility, visibility
from scoring.protocol import load_protocol

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
DURING = END - timedelta(days=1)
JUST_AFTER = END + TIME_TO_FINISH - timedelta(seconds=1)
LATER = END + TIME_TO_FINISH
NEW_END = END + timedelta(days=1)
HIDDEN = PhaseFacts(
    ends_at=END, over_at=None, board="hidden", board_opens_at=None, publishes_images=False, shows_own_scores=True
)
OVER = HIDDEN._replace(over_at=LATER)
NOBODY = Visibility(
    rows=Rows.NONE,
    own_scores=False,
    subsets=False,
    images=False,
    statistics=False,
    provenance=False,
    derived_warnings=False,
)
OWN = replace(NOBODY, own_scores=True)
WHOLE_BOARD = replace(NOBODY, rows=Rows.ALL)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ORGANISER, Role.OWNER, Role.OPERATOR])
def test_those_who_run_the_challenge_see_all_at_any_time(role: Role) -> None:
    phases = [HIDDEN, OVER, HIDDEN._replace(board="own-row", shows_own_scores=False)]
    seen = {visibility(role, phase, now) for phase, now in product(phases, [DURING, JUST_AFTER, LATER])}
    assert seen == {ALL}


@pytest.mark.parametrize(
    ("change", "now", "participant", "reader"),
    [
        # a hidden board
        ({}, DURING, OWN, NOBODY),
        ({"shows_own_scores": False}, DURING, NOBODY, NOBODY),
        # one's own row
        ({"board": "own-row"}, DURING, replace(OWN, rows=Rows.OWN), NOBODY),
        ({"board": "own-row", "shows_own_scores": False}, DURING, NOBODY, NOBODY),
        # an open board shows means, and neither subsets nor images
        ({"board": "open"}, DURING, replace(OWN, rows=Rows.ALL), WHOLE_BOARD),
        ({"board": "open", "shows_own_scores": False}, DURING, replace(OWN, rows=Rows.ALL), WHOLE_BOARD),
        # a date in the middle of the phase
        ({"board_opens_at": DURING + timedelta(hours=1)}, DURING, OWN, NOBODY),
        ({"board_opens_at": DURING}, DURING, replace(OWN, rows=Rows.ALL), WHOLE_BOARD),
        # a date at the end, or later: not before the phase is over
        ({"board_opens_at": END}, END, OWN, NOBODY),
        ({"board_opens_at": END}, LATER, OWN, NOBODY),
        ({"board_opens_at": END, "over_at": LATER}, JUST_AFTER, OWN, NOBODY),
        (
            {"board_opens_at": END, "over_at": LATER},
            LATER,
            replace(OWN, rows=Rows.ALL, statistics=True, derived_warnings=True),
            replace(WHOLE_BOARD, statistics=True),
        ),
        (
            {"board_opens_at": LATER + timedelta(days=1), "over_at": LATER},
            LATER,
            replace(OWN, derived_warnings=True),
            NOBODY,
        ),
        # an end that was moved after the phase was found to be over
        ({"board_opens_at": NEW_END, "over_at": LATER, "ends_at": NEW_END}, NEW_END, OWN, NOBODY),
        # a phase without an end is never over
        ({"board": "open", "ends_at": None, "over_at": LATER}, LATER, replace(OWN, rows=Rows.ALL), WHOLE_BOARD),
        # a public reference
        (
            {"publishes_images": True},
            DURING,
            replace(OWN, subsets=True, images=True, provenance=True, derived_warnings=True),
            replace(NOBODY, subsets=True, provenance=True),
        ),
        (
            {"publishes_images": True, "shows_own_scores": False},
            DURING,
            replace(NOBODY, subsets=True, provenance=True),
            replace(NOBODY, subsets=True, provenance=True),
        ),
    ],
)
def test_participants_and_readers_see_as_much_as_the_phase_says(
    change: dict[str, Any], now: datetime, participant: Visibility, reader: Visibility
) -> None:
    phase = HIDDEN._replace(**change)

    assert visibility(Role.PARTICIPANT, phase, now) == participant
    assert visibility(Role.READER, phase, now) == reader


def test_more_is_never_seen_by_a_lesser_role() -> None:
    times, modes, dates, truths = (
        [DURING, JUST_AFTER, LATER],
        ["open", "hidden", "own-row"],
        [None, DURING, END],
        [True, False],
    )
    order = [Rows.NONE, Rows.OWN, Rows.ALL]
    offenders = []
    for mode, opens_at, over_at, images, own, now in product(modes, dates, [None, LATER], truths, truths, times):
        phase = PhaseFacts(END, over_at, mode, opens_at, images, own)
        seen = [visibility(role, phase, now) for role in Role]
        offenders += [
            (phase, now, less, more)
            for less, more in pairwise(seen)
            if order.index(less.rows) > order.index(more.rows)
            or any(
                getattr(less, name) and not getattr(more, name)
                for name in ("own_scores", "subsets", "images", "statistics", "provenance", "derived_warnings")
            )
        ]
    assert offenders == []


def test_columns_of_subsets_are_left_out() -> None:
    protocol = load_protocol("ntire25-raw-restoration")
    assert {column.subset for column in protocol.columns} > {None}

    assert {column.subset for column in OWN.columns(protocol)} == {None}
    assert ALL.columns(protocol) == protocol.columns


def test_warnings_that_tell_of_a_score_are_left_out() -> None:
    stored = [{"code": "from-the-score"}, {"code": "readme-missing"}]
    derived = frozenset({"from-the-score"})

    assert OWN.warnings(stored, derived) == [{"code": "readme-missing"}]
    assert ALL.warnings(stored, derived) == stored
