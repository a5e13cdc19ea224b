"""Flips, and the intervals and tests they give."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scoring.statistics.signflip import TooFewUnits, halves, sign_flips, too_few, units_needed, weighted_means

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_all_flips_of_few_units() -> None:
    flips = sign_flips(3)

    assert flips[0].tolist() == [1, 1, 1]
    with_mirrors = {tuple(flip) for flip in (*flips, *-flips)}
    assert with_mirrors == set(product((1, -1), repeat=3))


@pytest.mark.parametrize(("units", "flips"), [(11, 1024), (13, 4096), (14, 4096), (480, 4096)])
def test_there_are_at_most_so_many_flips(units: int, flips: int) -> None:
    assert sign_flips(units).shape == (flips, units)


def test_drawn_flips_are_even_and_always_the_same() -> None:
    flips = sign_flips(50)

    assert (flips == sign_flips(50)).all()
    assert flips[0].tolist() == [1] * 50
    assert set(np.unique(flips)) == {-1, 1}
    # Four standard errors of a fair coin.
    assert np.abs(flips[1:].mean(axis=0)).max() < 4 / np.sqrt(4096)
    # A hash is the same everywhere and always.
    assert "".join("-" if sign < 0 else "+" for sign in flips[1, :12]) == "+-+--+-+-+++"


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 6), (0.5, 2), (1 / 32, 6), (0.01, 8)])
def test_how_many_units_are_needed(alpha: float, needed: int) -> None:
    assert units_needed(alpha) == needed
    assert too_few(needed, alpha) is None
    assert too_few(needed - 1, alpha) == TooFewUnits(needed - 1, needed)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, float("nan")])
def test_a_level_lies_between_0_and_1(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        units_needed(alpha)


def test_too_few_units_say_so() -> None:
    assert TooFewUnits(3, 6).sentence == "3 are too few for a statement; at least 6 are needed."


def test_an_interval_by_hand() -> None:
    """Six units, 32 flips, of which one may be rarer: the interval reaches from the least unit to the greatest."""
    low, high = halves(np.array([[5.0, 1.0, 4.0, 2.0, 9.0, 3.0]])).interval(0.05)

    assert (low.tolist(), high.tolist()) == ([1.0], [9.0])


def test_the_interval_holds_0_exactly_where_the_test_does_not_reject() -> None:
    cut = halves(np.random.default_rng(3).normal(0.7, 1, (400, 9)))
    low, high = cut.interval(0.05)

    rejected = cut.p_value() <= 0.05
    assert (rejected == ~((low <= 0) & (high >= 0))).all()
    assert 0 < rejected.sum() < 400


def test_a_flip_that_turns_all_or_none_is_left_out() -> None:
    assert np.isfinite(halves(np.arange(14.0)[None, :]).lesser).all()


def test_weights_count_units_as_often_as_copies_would() -> None:
    """By hand: of the flips of two units, one of weight 2, the parts are the units themselves; their mean is not."""
    scores = np.array([[1.0, 4.0]])

    cut = halves(scores, np.array([2, 1]))

    assert (cut.lesser.tolist(), cut.greater.tolist()) == ([[1.0]], [[4.0]])
    assert weighted_means(scores, np.array([2, 1])).tolist() == [2.0]


def test_the_parts_of_a_flip_have_weighted_means() -> None:
    scores, weights = np.array([[1.0, 4.0, 7.0]]), np.array([2, 1, 1])

    cut = halves(scores, weights)

    parts = {(low, high) for low, high in zip(cut.lesser[0], cut.greater[0], strict=True)}
    # {1} and {4, 7}, {4} and {1, 1, 7}, {7} and {1, 1, 4}.
    assert parts == {(1.0, 5.5), (3.0, 4.0), (2.0, 7.0)}


@pytest.mark.parametrize("weights", [np.ones(2), np.array([1, 0, 1]), np.array([1, -1, 1]), np.array([1, np.nan, 1])])
def test_each_unit_needs_a_positive_weight(weights: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="positive weight for each of 3"):
        halves(np.ones((1, 3)), weights)
