"""How well a team's mean is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoring.statistics.signflip import ALPHA, TooFewUnits, halves, too_few, weighted_means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MeanIntervals:
    """Each team's mean and the interval that holds its true value: float64 arrays, one value for each team.

    Each interval holds for itself; that two of them overlap says little about the difference of two teams, which
    were scored on the same photos. For that there are :func:`scoring.statistics.paired_difference` and
    :func:`scoring.statistics.rank_sets`.
    """

    means: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    units: int
    alpha: float


def mean_intervals(
    scores: NDArray[np.float64], weights: NDArray[Any] | None = None, *, alpha: float = ALPHA
) -> MeanIntervals | TooFewUnits:
    """Return intervals of the teams' means over all photos like those of the data set, at 1 − ``alpha`` (95 %).

    Parameters
    ----------
    scores
        Teams × units, as :func:`scoring.statistics.unit_scores` gives them.
    weights
        How much each unit counts, as its ``sizes`` say; all alike by default.

    Notes
    -----
    The interval of typical values (Hartigan 1969): as narrow as Student's for normal data, and nearer to its level
    where the data are not. It takes on no shape of distribution, only that it is symmetric.
    """
    units = scores.shape[1]
    refusal = too_few(units, alpha)
    if refusal is not None:
        return refusal
    low, high = halves(scores, weights).interval(alpha)
    return MeanIntervals(weighted_means(scores, weights), low, high, units, alpha)
