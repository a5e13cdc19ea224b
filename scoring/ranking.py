"""Places on a leaderboard: a pure function of the scores."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Direction = Literal["desc", "asc"]
# A row's values, turned so that the smaller is the better in every column.
_Key = tuple[float, ...]


@dataclass(frozen=True)
class Ranked:
    """A row in board order: where it stood in the input, and its rank, or None where it takes none."""

    index: int
    rank: int | None


def competition_ranks(
    rows: Sequence[Sequence[float | None]],
    directions: Sequence[Direction],
    tolerance: float | Sequence[float],
    ranked: Sequence[bool] | None = None,
) -> list[Ranked]:
    """Order rows by their columns in turn and give them competition ranks: 1, 2, 2, 4.

    Parameters
    ----------
    rows
        One row for each team, with a value for each column; None or NaN where a value is missing.
    directions
        For each column, whether large (``desc``) or small (``asc``) values are better.
    tolerance
        For each column, or one for all: values are equal when they are within it of the best of their group, so
        that being equal is transitive. Of 0, 0.8 and 1.6 with a tolerance of 1, the first two are equal and the
        third is not.
    ranked
        False for a row, such as a baseline's, that is shown in its place without taking a rank. It changes
        nothing about the ranks and the order of the others.

    Returns
    -------
    list of Ranked
        In board order; equal rows in the order of the input, and behind them the equal ones without a rank.
        Rows with a missing value come last, without a rank.

    Raises
    ------
    ValueError
        A row with more or fewer values than columns, tolerances likewise, ``ranked`` of another length than
        ``rows``, or a negative tolerance.
    """
    if any(len(row) != len(directions) for row in rows):
        raise ValueError(f"every row must have {len(directions)} values")
    if ranked is not None and len(ranked) != len(rows):
        raise ValueError(f"ranked has {len(ranked)} values for {len(rows)} rows")
    tolerances = [tolerance] * len(directions) if isinstance(tolerance, float | int) else list(tolerance)
    if len(tolerances) != len(directions):
        raise ValueError(f"there are {len(tolerances)} tolerances for {len(directions)} columns")
    if not all(allowed >= 0 for allowed in tolerances):
        raise ValueError(f"tolerance must not be negative, not {tolerance}")
    keys = {
        index: _key(row, directions)
        for index, row in enumerate(rows)
        if all(value is not None and not math.isnan(value) for value in row)
    }
    competing = [index for index in keys if ranked is None or ranked[index]]
    others = [index for index in keys if ranked is not None and not ranked[index]]
    groups = _tie_groups(competing, keys, tolerances)
    shown_after = _places_without_rank(others, groups, keys, tolerances)
    board = [Ranked(index, None) for index in shown_after[0]]
    rank = 1
    for number, group in enumerate(groups, start=1):
        board += [Ranked(index, rank) for index in group]
        board += [Ranked(index, None) for index in shown_after[number]]
        rank += len(group)
    return board + [Ranked(index, None) for index in range(len(rows)) if index not in keys]


def _key(row: Sequence[float | None], directions: Sequence[Direction]) -> _Key:
    pairs = zip(row, directions, strict=True)
    return tuple(-value if direction == "desc" else value for value, direction in pairs if value is not None)


def _tie_groups(indices: list[int], keys: Mapping[int, _Key], tolerances: Sequence[float]) -> list[list[int]]:
    """Return the groups of equal rows, best first; column after column splits the groups of the one before."""
    groups = [indices] if indices else []
    for column, tolerance in enumerate(tolerances):
        groups = [part for group in groups for part in _split(group, column, keys, tolerance)]
    return [sorted(group) for group in groups]


def _split(group: list[int], column: int, keys: Mapping[int, _Key], tolerance: float) -> list[list[int]]:
    if len(group) == 1:
        return [group]
    parts: list[list[int]] = []
    for index in sorted(group, key=lambda index: keys[index][column]):
        if parts and _equal(keys[index][column], keys[parts[-1][0]][column], tolerance):
            parts[-1].append(index)
        else:
            parts.append([index])
    return parts


def _places_without_rank(
    indices: list[int], groups: list[list[int]], keys: Mapping[int, _Key], tolerances: Sequence[float]
) -> list[list[int]]:
    """Return for each number of groups the rows that are shown after so many: behind the last that is not worse."""
    places: list[list[int]] = [[] for _ in range(len(groups) + 1)]
    leaders = [min(keys[index] for index in group) for group in groups]
    # Up to which value of the first column all leaders so far are better for certain: the search starts behind them.
    reached = list(accumulate((leader[0] for leader in leaders if leader), max))
    for index in sorted(indices, key=lambda index: (keys[index], index)):
        key = keys[index]
        start = bisect_left(reached, key[0] - 2 * tolerances[0]) if key else 0
        worse = (at for at in range(start, len(leaders)) if _is_better(key, leaders[at], tolerances))
        places[next(worse, len(groups))].append(index)
    return places


def _is_better(key: _Key, other: _Key, tolerances: Sequence[float]) -> bool:
    columns = zip(key, other, tolerances, strict=True)
    return next((a < b for a, b, tolerance in columns if not _equal(a, b, tolerance)), False)


def _equal(a: float, b: float, tolerance: float) -> bool:
    # The first test is for infinities, whose difference is not a number.
    return a == b or abs(a - b) <= tolerance
