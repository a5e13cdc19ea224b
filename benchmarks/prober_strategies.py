"""The strategies of a prober, who knows the shown means of his own submissions alone.

He keeps every image of a submission as it is but one, and in that image paints regions with constants: the one whose
mean he wants, and one or two whose levels move the score to where the display rounds it up or down. The mean squared
error of the image is a linear function of the unknowns (the means of the regions, and a constant), so that each shown
PSNR gives two linear inequalities. A linear program says between which two values the wanted mean lies; the next
submission is the one for which the display tells these two apart best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from benchmarks.prober_set import LEVELS, MOST_LEVEL
from scoring.shown import shown_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.prober_set import Hidden, Target

# Read from the display as if it did not round: double precision has few decimals more.
UNROUNDED = 8
GIVE_UP_AFTER = 200
CANDIDATES = 2000
# The levels of the first two regions with which he begins.
START = ((0, 0), (MOST_LEVEL, 0), (MOST_LEVEL // 2, 0), (0, MOST_LEVEL))
# From this step of one image's PSNR on, the prober paints the large region too.
COARSE_DB = 1.5
# How far off the solver may be, in the display's units.
SLACK = 1e-7
# Scores that differ by less were equal on a board that compared them unrounded.
TIE = 1e-6


class Prober:
    """Narrow a region's mean by linear inequalities over (constant, error at the first score, means).

    In units of the full scale squared, the image's mean squared error is ``K + Σ f·(a² − 2·a·m)`` for regions of the
    share ``f`` and the mean ``m`` that are painted with ``a``; it is ``γ·10^(−N·(s − s₀)/10)`` for the mean ``s`` of
    N images.
    """

    def __init__(self, hidden: Hidden, target: Target, decimals: int, seed: int) -> None:
        self._hidden, self._target, self._decimals = hidden, target, decimals
        # With a display so coarse that a step is decibels of one image, the large region has to bring a step near.
        self._regions = 3 if hidden.images * 10.0**-decimals > COARSE_DB else 2
        self._shares = np.array([hidden.reference[region].size for region in target.regions[: self._regions]])
        self._shares = self._shares / hidden.reference.size
        self._rng = np.random.default_rng([seed, 2])
        self._rows: list[NDArray[np.float64]] = []
        self._bounds: list[float] = []
        self._first = 0.0
        self._asked: set[tuple[int, ...]] = set()

    def learn(self) -> float | None:
        """Return the region's mean in levels, or None where too many submissions would be needed."""
        for levels in START:
            self._submit((*levels, 0)[: self._regions])
        while self._hidden.submissions < GIVE_UP_AFTER:
            ends = [self._extreme(sign) for sign in (1, -1)]
            low, high = (LEVELS * end[2] for end in ends)
            if (high - low) / 2 <= self._target.tolerance(low):
                return float(low + high) / 2
            self._submit(self._next(*ends))
        return None

    def _submit(self, levels: tuple[int, ...]) -> None:
        self._asked.add(levels)
        shown = float(self._display(self._hidden.mean_psnr(self._target, levels)))
        if not self._rows:
            self._first = shown
        half = 10.0**-self._decimals / 2 + SLACK * 10.0**-self._decimals
        row, constant = self._error_row(np.array(levels) / LEVELS)
        # The first two unknowns in units of the region's weight, so that all are of one size.
        weight = 2 * self._shares[0]
        row[:2] *= weight
        for sign in (1, -1):
            ratio = 10 ** (-self._hidden.images * (shown - self._first + sign * half) / 10)
            bound = row.copy()
            bound[1] = -ratio * weight
            scale = 1 / np.abs(bound).max()
            # sign 1: the error is at least that of the best score that is shown so; −1: at most that of the worst.
            self._rows.append(-sign * bound * scale)
            self._bounds.append(sign * constant * scale)

    def _display(self, value: float) -> str:
        return f"{value:.{self._decimals}f}" if self._decimals >= UNROUNDED else shown_text(value, self._decimals)

    def _error_row(self, painted: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return the coefficients of the error in the unknowns, and its known part."""
        return np.array([1.0, 0.0, *(-2 * self._shares * painted)]), float(self._shares @ painted**2)

    def _extreme(self, sign: int) -> NDArray[np.float64]:
        """Return the unknowns for which the wanted mean is least (1) or largest (−1)."""
        goal = np.array([0.0, 0.0, sign, *[0.0] * (self._regions - 1)])
        most = 1 / self._shares[0]
        limits = [(0, most)] * 2 + [(0, 1)] * self._regions
        # Thin polytopes are hard on a solver: a little slack, far below a level, or its other method.
        for slack, method in ((0.0, "highs-ds"), (0.0, "highs-ipm"), (1e-6, "highs-ds"), (1e-5, "highs-ds")):
            bounds = np.array(self._bounds) + slack
            found = linprog(goal, A_ub=np.array(self._rows), b_ub=bounds, bounds=limits, method=method)
            if found.status == 0:
                units = np.array([*[2 * self._shares[0]] * 2, *[1.0] * self._regions])
                return np.asarray(found.x * units)
        raise ArithmeticError(found.message)

    def _next(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[int, ...]:
        """Return the levels whose shown score tells the two ends apart best, a step of the display between them."""
        candidates = self._rng.integers(0, MOST_LEVEL + 1, (CANDIDATES, self._regions))
        # Black and white tell most of a region, and the large one had better stay out of the way.
        for region, share in enumerate((0.5, 0.3, 0.5)[: self._regions]):
            chosen = self._rng.random(CANDIDATES) < share
            candidates[chosen, region] = self._rng.choice([0, MOST_LEVEL], int(chosen.sum()))
        self._bring_near_a_step((low + high) / 2, candidates[: CANDIDATES // 2])
        one, other = (self._predict(end, candidates / LEVELS) for end in (low, high))
        step = 10.0**-self._decimals
        middle = (one + other) / 2
        boundary = (np.floor(middle / step) + 0.5) * step
        margin = np.abs(one - other) / 2 - np.abs(middle - boundary)
        ordered = (tuple(candidates[index].tolist()) for index in np.argsort(-margin))
        return next(levels for levels in ordered if levels not in self._asked)

    def _bring_near_a_step(self, unknowns: NDArray[np.float64], candidates: NDArray[np.int64]) -> None:
        """Set the second region's level so that the score lies where the display's text changes, where it can."""
        candidates[:, 1] = 0
        step, mean, share = 10.0**-self._decimals, unknowns[3], self._shares[1]
        scores = self._predict(unknowns, candidates / LEVELS)
        boundary = (np.floor(scores / step - 0.5) + 0.5) * step
        error = unknowns[1] * 10 ** (-self._hidden.images * (boundary - self._first) / 10)
        black = unknowns[1] * 10 ** (-self._hidden.images * (scores - self._first) / 10)
        painted = mean + np.sqrt(mean**2 + np.maximum(error - black, 0) / share)
        candidates[:, 1] = np.clip(np.rint(LEVELS * np.minimum(painted, 1)), 0, MOST_LEVEL)

    def _predict(self, unknowns: NDArray[np.float64], painted: NDArray[np.float64]) -> NDArray[np.float64]:
        constant, gamma, *means = unknowns
        error = constant + (painted**2 - 2 * painted * np.array(means)) @ self._shares
        ratio = np.maximum(error, 1e-9) / max(gamma, 1e-9)
        return np.asarray(self._first - 10 / self._hidden.images * np.log10(ratio))


def learn_by_order(hidden: Hidden, target: Target) -> float | None:
    """Bisect by which of a team's submissions stands, as when scores were compared unrounded.

    Of two levels the better one is nearer to the region's mean: each submission halves the interval. The
    second region stays black.
    """
    low, high, standing = 0.0, float(MOST_LEVEL), 0
    best = hidden.mean_psnr(target, (standing, 0))
    while (high - low) / 2 > target.tolerance(low):
        level = round(min(max(low + high - standing, 0), MOST_LEVEL))
        score = hidden.mean_psnr(target, (level, 0))
        edge, is_better = (level + standing) / 2, score > best
        if abs(score - best) <= TIE:
            return edge
        if is_better == (level > standing):
            low = max(low, edge)
        else:
            high = min(high, edge)
        if is_better:
            standing, best = level, score
    return (low + high) / 2
