"""Which ranks the data allow each team, all teams at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.statistics.signflip import ALPHA, TooFewUnits, sign_flips, too_few, weighted_means, weights_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scoring.ranking import Direction

# All flips of 11 units. Fewer than for one pair: here every one is computed for every pair of teams.
_MAX_FLIPS = 1024
_PAIRS_AT_ONCE = 256
_ROUNDING = 1e-9


@dataclass(frozen=True)
class RankSets:
    """The certain part of the order of the teams.

    Attributes
    ----------
    best, worst
        int64, one for each team: the first and last rank that the data allow it. That all true ranks lie inside,
        those of all teams at once, has a probability of at least 1 − alpha.
    order
        int64: the teams' indices from the best mean to the worst; equal means in the order of the input.
    groups
        Runs in ``order`` (first place, last place, from 0) in which no two teams can be told apart, none inside
        another. They overlap: the first of a run may be told from the first of the next.
    p
        float64, teams × teams: p-values of "these two have the same mean", adjusted for all pairs.
    """

    best: NDArray[np.int64]
    worst: NDArray[np.int64]
    order: NDArray[np.int64]
    groups: tuple[tuple[int, int], ...]
    p: NDArray[np.float64]
    units: int
    alpha: float


def rank_sets(
    scores: NDArray[np.float64],
    direction: Direction,
    weights: NDArray[Any] | None = None,
    *,
    tolerance: float = 0.0,
    alpha: float = ALPHA,
) -> RankSets | TooFewUnits:
    """Return rank sets from simultaneous comparisons of all pairs of teams.

    A team's best possible rank is one more than the number of teams that are certainly better, its worst so many
    from the end as are certainly worse (Mogstad, Romano, Shaikh, Wilhelm, Inference for ranks, Review of Economic
    Studies 91, 2024). A difference is certain by the step-down max-t test by sign flips, in which all teams' photos are
    flipped together, so that it takes account of how alike the teams are (Westfall, Young, Resampling-based
    multiple testing, 1993, algorithm 4.1; Romano, Wolf, Econometrica 73, 2005).

    Parameters
    ----------
    scores
        Teams × units, as :func:`scoring.statistics.unit_scores` gives them.
    direction
        Whether large (``desc``) or small (``asc``) means are better.
    weights
        How much each unit counts, as its ``sizes`` say; all alike by default.
    tolerance
        Teams whose means are this near to each other are equal, even where the test tells them apart.

    Raises
    ------
    ValueError
        There is no team, or not a positive weight for each unit.
    """
    teams, units = scores.shape
    if not teams:
        raise ValueError("there is no team to rank")
    refusal = too_few(units, alpha)
    if refusal is not None:
        return refusal
    merits = weighted_means(scores, weights) * (1.0 if direction == "desc" else -1.0)
    p = _adjusted_p_values(scores * weights_of(scores, weights))
    ahead = merits[:, None] - merits[None, :]
    better = (p <= alpha) & (ahead > tolerance)
    order = np.argsort(-merits, kind="stable")
    return RankSets(
        best=1 + better.sum(axis=0),
        worst=teams - better.sum(axis=1),
        order=order,
        groups=_runs((better | better.T)[np.ix_(order, order)]),
        p=p,
        units=units,
        alpha=alpha,
    )


def _adjusted_p_values(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return step-down max-t p-values over all pairs.

    |t| is a rising function of |Σ d| / √(Σ d²), and flipping signs leaves the root as it is; Σ s·d is the difference
    of two teams' own sums, so that a pair costs a subtraction for each flip, for any number of units.
    """
    teams, units = scores.shape
    centred = scores - scores.mean(axis=0)
    sums = centred @ sign_flips(units, _MAX_FLIPS).T
    first, second = np.triu_indices(teams, 1)
    observed = np.abs(sums[first, 0] - sums[second, 0])
    norms = np.concatenate([np.linalg.norm(centred[row] - centred[row + 1 :], axis=1) for row in range(teams)])
    # Two teams with the same scores differ in no way, and certainly not by 0 / 0.
    norms[norms == 0] = np.inf
    observed /= norms
    by_size = np.argsort(observed, kind="stable")
    least = np.zeros((1, sums.shape[1]))
    p_of_pair = np.empty_like(observed)
    # From the least pair to the greatest: each is compared with the largest of those up to it.
    for start in range(0, len(by_size), _PAIRS_AT_ONCE):
        pairs = by_size[start : start + _PAIRS_AT_ONCE]
        flipped = np.abs(sums[first[pairs]] - sums[second[pairs]])
        flipped /= norms[pairs, None]
        np.maximum(flipped[:1], least, out=flipped[:1])
        np.maximum.accumulate(flipped, axis=0, out=flipped)
        least = flipped[-1:].copy()
        p_of_pair[pairs] = (flipped >= observed[pairs, None] * (1 - _ROUNDING)).mean(axis=1)
    falling = by_size[::-1]
    p_of_pair[falling] = np.maximum.accumulate(p_of_pair[falling])
    p = np.ones((teams, teams))
    p[first, second] = p[second, first] = p_of_pair
    return p


def _runs(differ: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """Return the longest runs of consecutive places in which no pair differs."""
    teams = len(differ)
    later = np.triu(differ, 1)
    # For each place the first behind it that differs from it, and then from it or any place behind it.
    ends = np.where(later.any(axis=1), later.argmax(axis=1), teams)
    ends = np.minimum.accumulate(ends[::-1])[::-1]
    return tuple((start, int(end) - 1) for start, end in enumerate(ends) if start == 0 or end > ends[start - 1])
