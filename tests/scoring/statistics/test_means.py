"""Intervals of means, beside Student's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scoring.statistics import MeanIntervals, TooFewUnits, mean_intervals


def intervals(scores: np.ndarray, alpha: float = 0.05) -> MeanIntervals:
    result = mean_intervals(scores, alpha=alpha)
    assert isinstance(result, MeanIntervals)
    return result


@pytest.mark.parametrize("units", [8, 10, 15, 50])
def test_intervals_of_normal_data_are_like_students(units: int) -> None:
    scores = np.random.default_rng(units).normal(30, 2, (200, units))

    result = intervals(scores)

    low, high = stats.t.interval(0.95, units - 1, loc=scores.mean(axis=1), scale=stats.sem(scores, axis=1))
    assert ((result.high - result.low) / (high - low)).mean() == pytest.approx(1, abs=0.06)
    np.testing.assert_allclose(result.means, scores.mean(axis=1))
    assert ((result.low < result.means) & (result.means < result.high)).all()
    assert (result.units, result.alpha) == (units, 0.05)


@pytest.mark.parametrize("units", [10, 15])
def test_intervals_hold(units: int) -> None:
    """2,000 data sets; the bound is three standard errors below 95 %."""
    scores = np.random.default_rng(7).normal(0, 1, (2000, units))

    result = intervals(scores)

    assert ((result.low <= 0) & (result.high >= 0)).mean() > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_the_same_data_gives_the_same_intervals() -> None:
    scores = np.random.default_rng(5).normal(0, 1, (3, 50))

    assert (intervals(scores).low == intervals(scores.copy()).low).all()


def test_an_interval_moves_with_the_scores() -> None:
    scores = np.random.default_rng(5).normal(0, 1, (1, 10))

    np.testing.assert_allclose(intervals(scores * 2 + 30).low, intervals(scores).low * 2 + 30)


def test_equal_scores_have_an_interval_of_no_length() -> None:
    result = intervals(np.full((1, 10), 0.1))

    assert (result.low[0], result.high[0]) == (0.1, 0.1)


def test_more_certainty_takes_more_room() -> None:
    scores = np.random.default_rng(5).normal(0, 1, (1, 10))

    assert intervals(scores, 0.01).low < intervals(scores).low


def test_too_few_photos_for_an_interval() -> None:
    assert mean_intervals(np.ones((3, 5))) == TooFewUnits(5, 6)


def test_intervals_of_photos_with_unequal_numbers_of_tiles_hold() -> None:
    """2,000 data sets; the bound is three standard errors below 95 %."""
    sizes = np.array([1, 1, 2, 3, 5, 8, 13, 21, 34, 48])
    scores = np.random.default_rng(8).normal(0, 1, (2000, 10))

    result = mean_intervals(scores, sizes)

    assert isinstance(result, MeanIntervals)
    assert ((result.low <= 0) & (result.high >= 0)).mean() > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 2000)
    np.testing.assert_allclose(result.means, np.average(scores, axis=1, weights=sizes))
