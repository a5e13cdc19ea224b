"""Whether one team is better than another, and the price of asking more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.statistics.signflip import ALPHA, TooFewUnits, halves, too_few, weighted_means

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two teams' means, first less second.

    Attributes
    ----------
    low, high
        The interval at 1 − alpha; it holds 0 exactly where ``p`` is above alpha.
    p
        Probability of a difference at least as large where there is none (two-sided).
    """

    difference: float
    low: float
    high: float
    p: float
    units: int

    def to_json(self) -> dict[str, Any]:
        return {
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "units": self.units,
        }


def paired_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    weights: NDArray[Any] | None = None,
    *,
    alpha: float = ALPHA,
) -> PairedDifference | TooFewUnits:
    """Compare two teams unit by unit, by the sign-flip permutation test of their mean difference.

    It tests the mean, by which a leaderboard orders; Wilcoxon's, of the same kind, is one of ranks. Exact
    for up to 13 units; beyond, of 4,096 flips.

    Parameters
    ----------
    first, second
        One score for each unit, in the same order.
    weights
        How much each unit counts, as its ``sizes`` say; all alike by default.

    Raises
    ------
    ValueError
        The two do not hold as many units, or there is not a positive weight for each.
    """
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"the two must be series of equal length, not {first.shape} and {second.shape}")
    refusal = too_few(first.size, alpha)
    if refusal is not None:
        return refusal
    differences = (first - second)[None, :]
    cut = halves(differences, weights)
    low, high = cut.interval(alpha)
    (difference,) = weighted_means(differences, weights)
    return PairedDifference(float(difference), float(low[0]), float(high[0]), float(cut.p_value()[0]), first.size)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted for their number: all that are at most alpha may be believed at once at 1 − alpha.

    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979). It
    holds however the tests depend on each other.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
