"""The paired test beside scipy's, and Holm's correction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from scoring.statistics import PairedDifference, TooFewUnits, holm, paired_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compared(first: NDArray[np.float64], second: NDArray[np.float64], alpha: float = 0.05) -> PairedDifference:
    result = paired_difference(first, second, alpha=alpha)
    assert isinstance(result, PairedDifference)
    return result


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("units", [6, 10, 12])
def test_p_values_of_few_units_are_scipys_exact_ones(seed: int, units: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.normal(0.4, 1, units), generator.normal(0, 1, units)

    oracle = stats.permutation_test(
        (first, second), lambda a, b, axis: (a - b).mean(axis), vectorized=True, permutation_type="samples"
    )

    assert compared(first, second).p == pytest.approx(oracle.pvalue, abs=1e-12)


def test_p_values_of_many_units_are_near_students() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.normal(0.3, 1, 60), generator.normal(0, 1, 60)

    assert compared(first, second).p == pytest.approx(stats.ttest_rel(first, second).pvalue, abs=0.01)


def test_the_difference_has_a_direction() -> None:
    generator = np.random.default_rng(2)
    first, second = generator.normal(1, 1, 10), generator.normal(0, 1, 10)

    there, back = compared(first, second), compared(second, first)

    assert there.difference == pytest.approx((first - second).mean())
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p == there.p


def test_teams_that_are_equal_do_not_differ() -> None:
    scores = np.random.default_rng(3).normal(30, 2, 10)

    result = compared(scores, scores)

    assert (result.difference, result.low, result.high, result.p) == (0, 0, 0, 1)


def test_a_difference_on_every_photo_is_as_sure_as_photos_allow() -> None:
    scores = np.arange(10.0)

    result = compared(scores + 1, scores)

    assert result.p == 2 / 2**10
    assert (result.low, result.high) == (1, 1)


def test_the_result_is_plain_data() -> None:
    data = compared(np.arange(10.0), np.zeros(10)).to_json()

    assert json.loads(json.dumps(data)) == data
    assert list(data) == ["difference", "low", "high", "p", "units"]


def test_too_few_photos_for_a_comparison() -> None:
    assert paired_difference(np.ones(5), np.zeros(5)) == TooFewUnits(5, 6)


@pytest.mark.parametrize(("first", "second"), [(np.ones(5), np.ones(6)), (np.ones((1, 6)), np.ones((1, 6)))])
def test_both_need_the_same_photos(first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="equal length"):
        paired_difference(first, second)


def test_holms_correction_by_hand() -> None:
    # Holm's own example: 4·0.01, then 3·0.02, 2·0.03 and 0.04, none less than the one before.
    np.testing.assert_allclose(holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])


def test_holms_correction_ends_at_1() -> None:
    assert holm([0.9, 0.8]).tolist() == [1, 1]


def test_holms_correction_of_nothing_is_nothing() -> None:
    assert holm([]).size == 0


def test_holms_correction_lies_between_none_and_bonferronis() -> None:
    p = np.random.default_rng(4).uniform(0, 0.2, 40)

    adjusted = holm(p)

    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, 40 * p) + 1e-15).all()
    assert adjusted.min() == pytest.approx(40 * p.min())
