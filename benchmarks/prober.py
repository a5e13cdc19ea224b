"""How much a patient prober learns of a hidden reference: ``python -m benchmarks.prober --write``.

A prober knows the shown means of his own submissions alone. He keeps every image of a submission as it is but one, and
in that image paints regions with constants: the one whose mean he wants, and one or two whose levels move the score to
where the display rounds it up or down. The mean squared error of the image is a linear function of what he does not
know (the means of the regions, and a constant), so that each shown PSNR gives two linear inequalities. A
linear program says between which two values the wanted mean lies; the next submission is the one for which the display
tells these two apart best. The seed is fixed: the table is the same every time.
"""

from __future__ import annotations

import argparse
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from baselines.data.camera import reference_from_rgb
from baselines.data.degrade import Degradation
from baselines.data.scenes import compose_scene
from scoring.metrics.psnr import psnr, psnr_of
from scoring.metrics.ssim import ssim
from scoring.protocol import load_protocol
from scoring.shown import shown_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Region = tuple[slice, slice, int]

PAGE = Path(__file__).parents[1] / "docs" / "organisers.md"
BEGIN, END = "<!-- what the prober needed -->", "<!-- end -->"
PROTOCOL = load_protocol("aim22-s7")
DECIMALS = {column.key: column.precision for column in PROTOCOL.columns}
LEVELS = int(PROTOCOL.level_scale)
MOST_LEVEL = PROTOCOL.white_level or LEVELS
# Read from the display as if it did not round: double precision has few decimals more.
UNROUNDED = 8
QUOTA_PER_DAY, QUOTA_TOTAL = 5, 100
GIVE_UP_AFTER = 200
BLOCK_PX = 8
LARGE_PX = 96
CHANNEL_TOLERANCE, BLOCK_TOLERANCE_LEVELS = 0.01, 1.0
# A prediction of the level of good methods: about 30 dB.
PREDICTION = Degradation(blur=0.7, gain=0.94, noise=6)
CANDIDATES = 2000
PROCESSES = 2
PHOTOS = 5
# The levels of the first two regions with which he begins.
START = ((0, 0), (MOST_LEVEL, 0), (MOST_LEVEL // 2, 0), (0, MOST_LEVEL))
# From this step of one image's PSNR on, the prober paints the large region too.
COARSE_DB = 1.5
# What the solver may be wrong by, in the display's units.
SLACK = 1e-7
# By how much the order of a board told scores apart before it compared them as shown.
TIE = 1e-6


@dataclass(frozen=True)
class Target:
    """A region of an image whose mean is wanted, two that help, and how well it must be known."""

    name: str
    # The wanted one first; then one that moves the score finely, and one that moves it far.
    regions: tuple[Region, Region, Region]
    is_relative: bool

    def tolerance(self, mean: float) -> float:
        """Return how far off the answer may be, in levels."""
        return CHANNEL_TOLERANCE * mean if self.is_relative else BLOCK_TOLERANCE_LEVELS


@dataclass
class Hidden:
    """A hidden set of images, and what a page shows of a submission to it: the image that is probed varies alone."""

    reference: NDArray[np.uint16]
    prediction: NDArray[np.uint16]
    # PSNR of the images that stay as they are.
    others_db: list[float]
    submissions: int = field(default=0, init=False)
    _outside: dict[str, int] = field(default_factory=dict, init=False)

    @property
    def images(self) -> int:
        return len(self.others_db) + 1

    def mean(self, target: Target) -> float:
        """Return the truth: the mean of the wanted region."""
        return float(self.reference[target.regions[0]].mean())

    def mean_psnr(self, target: Target, levels: Sequence[int]) -> float:
        """Score a submission with the first of the target's regions painted; return its unrounded mean."""
        self.submissions += 1
        regions = target.regions[: len(levels)]
        error = self._error_outside(regions) + sum(
            squared_error(self.reference[region], level) for region, level in zip(regions, levels, strict=True)
        )
        values = [*self.others_db, psnr_of(error, self.reference.size, LEVELS)]
        return math.fsum(values) / len(values)

    def _error_outside(self, regions: Sequence[Region]) -> int:
        key = repr(regions)
        if key not in self._outside:
            painted = sum(squared_error(self.reference[region], self.prediction[region]) for region in regions)
            self._outside[key] = squared_error(self.reference, self.prediction) - painted
        return self._outside[key]


def squared_error(reference: NDArray[np.uint16], submission: NDArray[np.uint16] | int) -> int:
    """Return the sum of squared differences, exactly."""
    difference = np.subtract(reference, submission, dtype=np.int64)
    return int((difference * difference).sum())


@cache
def tiles(seed: int) -> tuple[NDArray[np.uint16], ...]:
    """Return synthetic packed RAW tiles of one photo, by the camera model of the baselines."""
    height, width, _ = PROTOCOL.shape
    rng = np.random.default_rng(seed)
    scene = compose_scene(2 * 2 * height, 2 * 3 * width, "test", rng)
    parts = [part for row in np.split(scene, 2) for part in np.split(row, 3, axis=1)]
    return tuple(reference_from_rgb(np.ascontiguousarray(part), "s7", seed) for part in parts)


@cache
def predictions(seed: int) -> tuple[NDArray[np.uint16], ...]:
    """Return the prober's own predictions of the tiles."""
    rng = np.random.default_rng([seed, 3])
    return tuple(PREDICTION.apply(tile, rng) for tile in tiles(seed))


def hidden_set(seed: int, images: int) -> Hidden:
    """Return a set of so many images; the scores of a photo's tiles stand in for all others."""
    rng = np.random.default_rng(seed)
    photo = seed % PHOTOS
    pairs = list(zip(tiles(photo), predictions(photo), strict=True))
    scores = [psnr(reference, prediction, data_range=LEVELS) for reference, prediction in pairs]
    # A little apart, as if they were tiles of their own.
    others = [float(rng.choice(scores) + rng.normal(0, 1)) for _ in range(images - 1)]
    return Hidden(*pairs[int(rng.integers(len(pairs)))], others)


def targets(seed: int) -> tuple[Target, Target]:
    """Return a channel's mean and the mean of a block at a place that the seed chooses."""
    height, width, channels = PROTOCOL.shape
    rng = np.random.default_rng([seed, 1])
    channel = int(rng.integers(channels))
    beyond, far = ((channel + step) % channels for step in (1, 2))
    top, left = (int(rng.integers(1, side // BLOCK_PX - 2)) * BLOCK_PX for side in (height, width))
    block = (slice(top, top + BLOCK_PX), slice(left, left + BLOCK_PX))
    large = (slice(0, LARGE_PX), slice(0, LARGE_PX), far)
    return (
        Target(
            "a channel's gain to 1 %",
            ((slice(0, height), slice(0, width), channel), (slice(0, 64), slice(0, 64), beyond), large),
            is_relative=True,
        ),
        Target(
            "an 8×8 block's mean to one level",
            ((*block, channel), (*block, beyond), large),
            is_relative=False,
        ),
    )


# --- The prober -------------------------------------------------------------------------------------------------------


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
                return np.asarray(found.x) * [*[2 * self._shares[0]] * 2, *[1] * self._regions]
        raise ArithmeticError(found.message)

    def _next(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[int, ...]:
        """Return the levels whose shown score tells the two ends apart best, a step of the display between them."""
        candidates = self._rng.integers(0, MOST_LEVEL + 1, (CANDIDATES, self._regions))
        # Black and white tell most of a region, and the large one had better stay out of the way.
        for region, share in enumerate((0.5, 0.3, 0.5)[: self._regions]):
            chosen = self._rng.random(CANDIDATES) < share
            candidates[chosen, region] = self._rng.choice([0, MOST_LEVEL], int(chosen.sum()))
        one, other = (self._predict(end, candidates / LEVELS) for end in (low, high))
        step = 10.0**-self._decimals
        middle = (one + other) / 2
        boundary = (np.floor(middle / step) + 0.5) * step
        margin = np.abs(one - other) / 2 - np.abs(middle - boundary)
        ordered = (tuple(candidates[index].tolist()) for index in np.argsort(-margin))
        return next(levels for levels in ordered if levels not in self._asked)

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


# --- What is counted --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A target in sets of so many images, at a display: the submissions needed, None where the prober gave up."""

    target: str
    images: int
    display: str
    needed: tuple[int | None, ...]

    def quantile(self, share: float) -> int | None:
        """Return the number that suffices for this share of the runs."""
        ordered = sorted(GIVE_UP_AFTER + 1 if needed is None else needed for needed in self.needed)
        value = ordered[math.ceil(share * len(ordered)) - 1]
        return None if value > GIVE_UP_AFTER else value

    def line(self) -> str:
        """Return the row of the table."""
        median, most = self.quantile(0.5), self.quantile(0.9)
        days = "–" if median is None else str(math.ceil(median / QUOTA_PER_DAY))
        accounts = "–" if median is None else str(math.ceil(median / QUOTA_PER_DAY))
        in_all = "0" if median is None else str(QUOTA_TOTAL // median)
        counts = [f"over {GIVE_UP_AFTER}" if count is None else str(count) for count in (median, most)]
        cells = [self.target, str(self.images), self.display, *counts, days, accounts, in_all]
        return f"| {' | '.join(cells)} |"


HEADER = (
    "| learnt | images | display | submissions, median | 90 % of runs | days for one account | accounts for one day "
    "| such values in one quota |",
    "|---|---:|---|---:|---:|---:|---:|---:|",
)


def displays() -> dict[str, int | None]:
    """Return the decimals of PSNR for each display; None: the order of the board, as it was."""
    psnr_decimals, ssim_decimals = DECIMALS["psnr"], DECIMALS["ssim"]
    return {
        f"{psnr_decimals} and {ssim_decimals} decimals": psnr_decimals,
        f"{psnr_decimals - 1} and {ssim_decimals - 1} decimals": psnr_decimals - 1,
        "unrounded": UNROUNDED,
        "before: order by unrounded scores": None,
    }


def needed(seed: int, images: int, which: int, decimals: int | None) -> int | None:
    """Return how many submissions one prober needed; None where he gave up or was wrong."""
    hidden, target = hidden_set(seed, images), targets(seed)[which]
    found = learn_by_order(hidden, target) if decimals is None else Prober(hidden, target, decimals, seed).learn()
    truth = hidden.mean(target)
    is_right = found is not None and abs(found - truth) <= target.tolerance(truth)
    return hidden.submissions if is_right else None


def rows(runs: int, sizes: Sequence[int], say: Callable[[str], None] = print) -> Iterator[Row]:
    """Yield every row of the table."""
    cases = [(*one, images) for one in enumerate(targets(0)) for images in sizes]
    with ProcessPoolExecutor(PROCESSES) as pool:
        for which, target, images in cases:
            for display, decimals in displays().items():
                one = partial(needed, images=images, which=which, decimals=decimals)
                row = Row(target.name, images, display, tuple(pool.map(one, range(runs))))
                say(row.line())
                yield row


def steps_of_display(seed: int, images: int, which: int) -> tuple[float, float]:
    """Return by how many steps of the display PSNR and SSIM move when the region goes from black to white."""
    hidden, target = hidden_set(seed, images), targets(seed)[which]
    scores = []
    for level in (0, MOST_LEVEL):
        probe = hidden.prediction.copy()
        probe[target.regions[0]] = level
        scores.append([metric(hidden.reference, probe, data_range=LEVELS) for metric in (psnr, ssim)])
    (psnr_a, ssim_a), (psnr_b, ssim_b) = scores
    return (
        abs(psnr_a - psnr_b) / images * 10 ** DECIMALS["psnr"],
        abs(ssim_a - ssim_b) / images * 10 ** DECIMALS["ssim"],
    )


def table(runs: int, sizes: Sequence[int], say: Callable[[str], None] = print) -> str:
    """Return the table with a sentence on how it was made."""
    lines = [row.line() for row in rows(runs, sizes, say)]
    moved = [np.median([steps_of_display(seed, sizes[0], which) for seed in range(runs)], axis=0) for which in (0, 1)]
    about = (
        f"`python -m benchmarks.prober --write`: {runs} runs a row on synthetic references of {PROTOCOL.name}'s size, "
        f"a quota of {QUOTA_PER_DAY} a day and {QUOTA_TOTAL} in all; “over {GIVE_UP_AFTER}”: the prober gave up. In "
        f"{sizes[0]} images, from black to white, a channel moves the shown PSNR by {moved[0][0]:.0f} steps and the "
        f"SSIM by {moved[0][1]:.0f}, a block by {moved[1][0]:.1f} and {moved[1][1]:.1f}: the prober reads PSNR alone."
    )
    return "\n".join([about, "", *HEADER, *lines])


def main() -> int:
    """Print the table, and write it into the page when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--images", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--write", action="store_true", help=f"put the table into docs/{PAGE.name}")
    options = parser.parse_args()
    text = table(options.runs, options.images)
    print(f"\n{text}")
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
