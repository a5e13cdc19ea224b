"""Flipping signs: the exact way to an interval or a test when all that is known is symmetry.

If the deviations from the true mean are symmetric, each may change its sign without changing how likely the data
are (Fisher, The Design of Experiments, 1935, section 21). A flip cuts the units in two, those that keep their sign
and those that change it, and a true mean of δ is as probable as the data allow exactly as long as δ lies between
the means of the two parts, for more than one in twenty of all flips. That gives the test and the interval at once
(Hartigan, Using subsample values as typical values, JASA 64, 1969): they never contradict each other. Units that
count for more than others, as photos of more tiles do, may have weights: it is as exact with them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHA = 0.05
# All flips of 13 units; of more units, as many drawn evenly.
MAX_FLIPS = 4096
_ROUNDING = 1e-9


@dataclass(frozen=True)
class TooFewUnits:
    """In place of a statement: so few units allow none, for any values."""

    units: int
    needed: int

    @property
    def sentence(self) -> str:
        return f"{self.units} are too few for a statement; at least {self.needed} are needed."


def units_needed(alpha: float) -> int:
    """Return the number of units from which one flip and its mirror image are as rare as ``alpha``: 6 for 0.05."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, not {alpha}")
    return 1 + math.ceil(math.log2(1 / alpha))


def too_few(units: int, alpha: float) -> TooFewUnits | None:
    """Return TooFewUnits if the sample cannot reach significance alpha, else None."""
    needed = units_needed(alpha)
    return TooFewUnits(units, needed) if units < needed else None


def sign_flips(units: int, at_most: int = MAX_FLIPS) -> NDArray[np.float64]:
    """Return flips × units of +1 and −1; the first flip changes nothing.

    All flips where there are no more than ``at_most``, counting a flip and its mirror image as one; otherwise
    ``at_most`` of them from a hash, which is even enough and the same everywhere. A test by a sample of the flips
    is exact as well, as long as the sample holds the one that changes nothing.
    """
    if units <= at_most.bit_length() and 2 ** (units - 1) <= at_most:
        numbers = np.arange(2 ** (units - 1))
        negative = ((numbers[:, None] >> np.arange(units)) & 1).astype(bool)
    else:
        stream = hashlib.shake_256(b"sign flips").digest(-(-at_most * units // 8))
        bits = np.unpackbits(np.frombuffer(stream, np.uint8), count=at_most * units)
        negative = bits.reshape(at_most, units).astype(bool)
        negative[0] = False
    return np.where(negative, -1.0, 1.0)


@dataclass(frozen=True)
class Halves:
    """For every series of units and every flip but the first, the means of the two parts: the lesser, the greater."""

    lesser: NDArray[np.float64]
    greater: NDArray[np.float64]

    @property
    def flips(self) -> int:
        """How many there are with the first, whose parts are all and none."""
        return int(self.lesser.shape[1]) + 1

    def interval(self, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of the intervals that hold the true means with a probability of at least 1 − alpha."""
        rank = math.floor(alpha * self.flips + _ROUNDING)
        low = np.partition(self.lesser, rank - 1, axis=1)[:, rank - 1]
        high = -np.partition(-self.greater, rank - 1, axis=1)[:, rank - 1]
        return low, high

    def p_value(self) -> NDArray[np.float64]:
        """Return two-sided p-values of a true mean of 0."""
        between = (self.lesser <= 0) & (self.greater >= 0)
        p: NDArray[np.float64] = (1 + between.sum(axis=1)) / self.flips
        return p


def halves(scores: NDArray[np.float64], weights: NDArray[Any] | None = None, at_most: int = MAX_FLIPS) -> Halves:
    """Cut every series (series × units) in two by every flip; the parts' means are weighted by ``weights``."""
    flips = sign_flips(scores.shape[1], at_most)[1:]
    # A drawn flip may turn all or none, which is the first one again.
    flips = flips[np.abs(flips.sum(axis=1)) < scores.shape[1]]
    kept, turned = (part * weights_of(scores, weights) for part in (flips > 0, flips < 0))
    # Around the first unit's score, so that equal scores have equal means to the last bit.
    base = scores[:, :1]
    means = [(scores - base) @ (part / part.sum(axis=1, keepdims=True)).T + base for part in (kept, turned)]
    return Halves(np.minimum(*means), np.maximum(*means))


def weights_of(scores: NDArray[np.float64], weights: NDArray[Any] | None) -> NDArray[np.float64]:
    """Return a positive weight for each unit, with mean 1; equal ones where none are given.

    Raises
    ------
    ValueError
        There is not one for each unit, or one is not positive.
    """
    if weights is None:
        return np.ones(scores.shape[1])
    if weights.shape != scores.shape[1:] or not (weights > 0).all():
        raise ValueError(f"there must be a positive weight for each of {scores.shape[1]} units")
    scaled: NDArray[np.float64] = weights / weights.mean()
    return scaled


def weighted_means(scores: NDArray[np.float64], weights: NDArray[Any] | None) -> NDArray[np.float64]:
    """Return the mean of each series."""
    means: NDArray[np.float64] = (scores * weights_of(scores, weights)).mean(axis=1)
    return means
