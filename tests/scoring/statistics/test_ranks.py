"""Rank sets, and the groups that cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from scoring.statistics import RankSets, TooFewUnits, rank_sets
from scoring.statistics.pairs import PairedDifference, paired_difference
from scoring.statistics.ranks import _MAX_FLIPS, _adjusted_p_values
from scoring.statistics.signflip import sign_flips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scoring.ranking import Direction


def ranked(scores: NDArray[np.float64], direction: Direction = "desc", tolerance: float = 0.0) -> RankSets:
    result = rank_sets(scores, direction, tolerance=tolerance)
    assert isinstance(result, RankSets)
    return result


def field(means: list[float], *, units: int = 10, noise: float = 0.1, seed: int = 1) -> NDArray[np.float64]:
    """Return teams on the same photos, some of which are harder for all."""
    generator = np.random.default_rng(seed)
    photos = generator.normal(0, 3, units)
    return np.array(means)[:, None] + photos + generator.normal(0, noise, (len(means), units))


def step_down(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Follow Westfall and Young's algorithm 4.1 as it is written, pair by pair."""
    first, second = np.triu_indices(len(scores), 1)
    differences = scores[first] - scores[second]
    flipped = np.abs(differences @ sign_flips(scores.shape[1], _MAX_FLIPS).T)
    flipped /= np.linalg.norm(differences, axis=1, keepdims=True)
    order = np.argsort(-flipped[:, 0])
    p, largest = np.empty(len(order)), 0.0
    for place, pair in enumerate(order):
        rivals = flipped[order[place:]].max(axis=0)
        largest = max(largest, (rivals >= flipped[pair, 0] - 1e-12).mean())
        p[pair] = largest
    return p


@pytest.mark.parametrize("units", [7, 10, 20])
def test_adjusted_p_values_are_those_of_the_algorithm(units: int) -> None:
    scores = field([30, 30.05, 30.1, 30.1, 30.3, 31] * 5, units=units)

    p = _adjusted_p_values(scores)

    assert (p == p.T).all()
    assert (np.diag(p) == 1).all()
    np.testing.assert_allclose(p[np.triu_indices(30, 1)], step_down(scores))


@pytest.mark.parametrize("weights", [None, np.arange(1, 11)])
def test_two_teams_are_compared_as_a_pair(weights: NDArray[np.int64] | None) -> None:
    scores = field([30, 30.05])
    pair = paired_difference(scores[0], scores[1], weights)
    board = rank_sets(scores, "desc", weights)

    assert isinstance(pair, PairedDifference)
    assert isinstance(board, RankSets)
    assert board.p[0, 1] == pytest.approx(pair.p)


def test_teams_far_apart_have_one_rank_each() -> None:
    result = ranked(field([29, 31, 30]))

    assert (result.best.tolist(), result.worst.tolist()) == ([3, 1, 2], [3, 1, 2])
    assert result.order.tolist() == [1, 2, 0]
    assert result.groups == ((0, 0), (1, 1), (2, 2))
    assert (result.units, result.alpha) == (10, 0.05)


def test_small_values_may_be_better() -> None:
    result = ranked(field([29, 31, 30]), "asc")

    assert result.best.tolist() == [1, 3, 2]
    assert result.order.tolist() == [0, 2, 1]


def test_near_ties_share_their_ranks() -> None:
    result = ranked(field([31, 30, 30.001, 29]))

    assert (result.best.tolist(), result.worst.tolist()) == ([1, 2, 2, 4], [1, 3, 3, 4])
    assert result.groups == ((0, 0), (1, 2), (3, 3))


def test_groups_may_overlap() -> None:
    """A and B cannot be told apart, nor B and C, but A and C can: B's photos vary, those of A and C do not."""
    base = np.linspace(0, 5, 12)
    wild = np.array([1, -1] * 6) * np.linspace(0.2, 1.2, 12)
    scores = np.array([30.4 + base, 30.2 + base + wild, 30.0 + base + np.linspace(-0.01, 0.01, 12)])

    result = ranked(scores)

    assert result.groups == ((0, 1), (1, 2))
    assert (result.best.tolist(), result.worst.tolist()) == ([1, 1, 2], [2, 3, 3])


def test_the_same_submission_twice_is_a_tie() -> None:
    scores = field([30, 31])

    result = ranked(np.concatenate((scores, scores[:1])))

    assert result.p[0, 2] == 1
    assert (result.best[0], result.best[2]) == (2, 2)


def test_a_difference_within_the_tolerance_is_none() -> None:
    scores = field([30, 30], noise=0)
    scores[1] += 1e-7

    assert ranked(scores).worst.tolist() == [2, 1]
    assert ranked(scores, tolerance=1e-6).worst.tolist() == [2, 2]


def test_the_order_of_the_teams_changes_nothing() -> None:
    scores = field([30, 30.05, 30.1, 30.1, 30.3])
    order = np.array([3, 0, 4, 1, 2])

    shuffled, straight = ranked(scores[order]), ranked(scores)

    assert (shuffled.best == straight.best[order]).all()
    np.testing.assert_allclose(shuffled.p, straight.p[np.ix_(order, order)])


def test_one_team_has_the_first_rank() -> None:
    result = ranked(field([30]))

    assert (result.best.tolist(), result.worst.tolist(), result.groups) == ([1], [1], ((0, 0),))


def test_a_field_has_a_team() -> None:
    with pytest.raises(ValueError, match="no team"):
        rank_sets(np.empty((0, 10)), "desc")


def test_too_few_photos_for_rank_sets() -> None:
    assert rank_sets(np.ones((3, 5)), "desc") == TooFewUnits(5, 6)


@pytest.mark.parametrize("means", [[0, 0, 0, 0.02, 0.05, 0.3, 0.3, 1.0], [0] * 8], ids=["near ties", "all equal"])
def test_all_rank_sets_hold_at_once(means: list[float]) -> None:
    """400 fields; the bound is three standard errors below 95 %. That all are equal is the hardest case."""
    generator = np.random.default_rng(9)
    truth = np.array(means)
    first = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    last = 8 - (truth[None, :] < truth[:, None]).sum(axis=1)
    held = 0
    for _ in range(400):
        result = ranked(truth[:, None] + generator.normal(0, 3, 10) + generator.normal(0, 0.3, (8, 10)))
        held += bool((result.best <= first).all() and (last <= result.worst).all())

    assert held / 400 > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400)
