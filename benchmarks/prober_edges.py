"""A sharper prober than `benchmarks.prober`: ``python -m benchmarks.prober_edges --write``.

A prober sees nothing but the shown means of its own submissions. It asks for two numbers: the gain of a colour channel
that all images share, to 1 %, and the mean of one 8×8 block of one channel of one image, to one level. It uses the PSNR
alone, the mean over all images; the SSIM beside it tells more. Seeded: the table is the same every time.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import least_squares

from scoring.metrics.psnr import psnr, psnr_of
from scoring.protocol import load_protocol
from scoring.shown import shown_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PAGE = Path(__file__).parents[1] / "docs" / "organisers.md"
BEGIN, END = "<!-- what the sharper prober needed -->", "<!-- end -->"
PROTOCOL = load_protocol("aim22-s7")
PRECISION, SSIM_PRECISION = (
    next(column.precision for column in PROTOCOL.columns if column.key == key) for key in ("psnr", "ssim")
)
RANGE, MAX_LEVEL = 1024.0, 1024
SEEDS, IMAGES = 20, (2, 24, 480)
QUOTA_PER_DAY, QUOTA_TOTAL = 5, 100
GAIN_BOUND, BLOCK_BOUND = 0.01, 1.0
# A colour gain needs no large images: all pixels of a channel tell the same.
GAIN_SHAPE, BLOCK_PX = (32, 32, 4), 8
GAIN_SUBMISSIONS = 6
# How bright the images are: a linear image is dark, so that a channel twice as bright is not clipped.
GAIN_LEVEL, BLOCK_LEVEL = 200.0, 420.0
# The prior knowledge: the gain lies between these, and the guess of a block's mean is off by at most so many levels.
GAINS, OFF_BY = (0.5, 2.0), 48
# How good the guesses of the images are, which the prober takes to be usual.
USUAL_PSNR_DB, PSNR_SPREAD_DB = 33.0, 3.0
SPOILED_MSE = 0.25
# The tolerance within which an order of unrounded values called two of them equal.
ORDER_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Display:
    """How a mean PSNR is shown: with so many decimals, whole (None), or only as the order of two submissions."""

    name: str
    precision: int | None
    is_order: bool = False

    def show(self, score: float) -> float:
        return score if self.precision is None else float(shown_text(score, self.precision))


DISPLAYS = (
    Display(f"as now: {PRECISION} decimals of the PSNR, {SSIM_PRECISION} of the SSIM", PRECISION),
    Display(f"one decimal less: {PRECISION - 1} and {SSIM_PRECISION - 1}", PRECISION - 1),
    Display("unrounded", None),
    Display("before: order compared unrounded", None, is_order=True),
)


# --- The hidden set ---------------------------------------------------------------------------------------------------


def packed_raw(generator: np.random.Generator, shape: tuple[int, ...], middle: float) -> NDArray[np.float64]:
    """Return smooth shapes with some noise around a level."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    periods, phases = generator.uniform(8, 20, 2), generator.uniform(0, 6, 2)
    wave = np.sin(rows / periods[0] + phases[0]) + np.cos(columns / periods[1] + phases[1])
    colour = generator.uniform(0.6, 1.0, shape[2])
    scene: NDArray[np.float64] = middle * (1 + 0.36 * wave[..., None]) * colour + generator.normal(0, 8, shape)
    return scene


def levels(values: NDArray[np.floating[Any]]) -> NDArray[np.uint16]:
    """Return the predictions clipped to valid levels."""
    submitted: NDArray[np.uint16] = np.clip(np.rint(values), 0, MAX_LEVEL).astype(np.uint16)
    return submitted


@dataclass
class GainSecret:
    """References whose first channel has a gain that the prober's guesses lack."""

    references: list[NDArray[np.uint16]]
    guesses: list[NDArray[np.uint16]]

    @classmethod
    def draw(cls, seed: int, images: int) -> GainSecret:
        generator = np.random.default_rng((seed, images, 1))
        gain = generator.uniform(0.6, 1.5)
        guesses = [levels(packed_raw(generator, GAIN_SHAPE, GAIN_LEVEL)) for _ in range(images)]
        references = []
        for guess in guesses:
            truth = guess + generator.normal(0, RANGE * 10 ** (-USUAL_PSNR_DB / 20), guess.shape)
            truth[..., 0] = gain * guess[..., 0] + truth[..., 0] - guess[..., 0]
            references.append(levels(truth))
        return cls(references, guesses)

    @property
    def gain(self) -> float:
        """The ratio of the channel's true mean to the guess."""
        true, guessed = ([image[..., 0].mean() for image in images] for images in (self.references, self.guesses))
        return float(np.mean(true) / np.mean(guessed))

    def submission(self, factor: float) -> list[NDArray[np.uint16]]:
        """Return the guesses with the channel multiplied."""
        images = [guess.copy() for guess in self.guesses]
        for image, guess in zip(images, self.guesses, strict=True):
            image[..., 0] = levels(factor * guess[..., 0])
        return images

    def score(self, factor: float) -> float:
        pairs = zip(self.references, self.submission(factor), strict=True)
        return float(np.mean([psnr(reference, image, data_range=RANGE) for reference, image in pairs]))


@dataclass
class BlockSecret:
    """A reference whose block is asked for, among so many others that a submission leaves as they are, or spoils."""

    reference: NDArray[np.uint16]
    guess: NDArray[np.uint16]
    block: tuple[slice, slice, int]
    other_mse: NDArray[np.float64]
    _rest: int = field(init=False)

    def __post_init__(self) -> None:
        difference = np.subtract(self.reference, self.guess, dtype=np.int64)
        self._rest = int((difference**2).sum() - (difference[self.block] ** 2).sum())

    @classmethod
    def draw(cls, seed: int, images: int) -> BlockSecret:
        generator = np.random.default_rng((seed, images, 2))
        reference = levels(packed_raw(generator, PROTOCOL.shape, BLOCK_LEVEL))
        sigma = RANGE * 10 ** (-generator.normal(USUAL_PSNR_DB, PSNR_SPREAD_DB / 2) / 20)
        guess = levels(reference + generator.normal(0, sigma, reference.shape))
        while True:
            row, column = (int(generator.integers(0, side - BLOCK_PX)) for side in reference.shape[:2])
            block = (slice(row, row + BLOCK_PX), slice(column, column + BLOCK_PX), int(generator.integers(0, 4)))
            if 300 <= reference[block].mean() <= 724:
                break
        off_by = float(np.clip(generator.normal(0, OFF_BY / 3), -OFF_BY + 1, OFF_BY - 1))
        guess[block] = levels(reference[block] + off_by)
        scores = generator.normal(USUAL_PSNR_DB, PSNR_SPREAD_DB, images - 1)
        return cls(reference, guess, block, 10 ** (-scores / 10))

    @property
    def mean(self) -> float:
        return float(self.reference[self.block].mean())

    @property
    def guessed(self) -> float:
        return float(self.guess[self.block].mean())

    def score(self, level: float, spoiled: float = 0.0) -> float:
        """Return the mean PSNR with the block at one level, and so many of the other images spoiled, in pixels too."""
        error = self._rest + int(((self.reference[self.block].astype(np.int64) - round(level)) ** 2).sum())
        share = np.clip(spoiled - np.arange(len(self.other_mse)), 0, 1)
        others = -10 * np.log10((1 - share) * self.other_mse + share * SPOILED_MSE)
        own = psnr_of(error, self.reference.size, RANGE)
        return float((own + others.sum()) / (len(others) + 1))


# --- How it is asked for: each strategy returns its estimate after each submission ------------------------------------


def gain_by_values(secret: GainSecret, display: Display) -> list[float]:
    """Turn the channel nearly off, then too bright, and fit the gain to the shown means."""
    factors, estimates = (0.0, 2.0), [1.0]
    seen: list[float] = []
    energy = np.array([(guess[..., 0].astype(float) ** 2).mean() for guess in secret.guesses])
    moments: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []

    def misfit(unknown: NDArray[np.float64]) -> NDArray[np.float64]:
        gain, rest = unknown[0], 10 ** unknown[1] * RANGE**2
        errors = [np.maximum(own - 2 * gain * both + gain**2 * energy, 0) / 4 + rest for own, both in moments]
        return np.array([np.mean(10 * np.log10(RANGE**2 / error)) for error in errors]) - seen

    for number in range(GAIN_SUBMISSIONS):
        # Later submissions differ a little, so that each is rounded in another place.
        factor = factors[number % 2] + 0.05 * (number // 2)
        pairs = list(zip(secret.guesses, secret.submission(factor), strict=True))
        own = np.array([(image[..., 0].astype(float) ** 2).mean() for _, image in pairs])
        both = np.array([(guess[..., 0].astype(float) * image[..., 0]).mean() for guess, image in pairs])
        moments.append((own, both))
        seen.append(display.show(secret.score(factor)))
        if number:
            start = [estimates[-1], -USUAL_PSNR_DB / 10]
            fit = least_squares(misfit, start, bounds=([GAINS[0], -6], [GAINS[1], -1]))
            estimates.append(float(fit.x[0]))
    # Nothing is known before the second submission.
    return [math.nan, *estimates[1:]]


def by_order(score: Callable[[float], float], low: float, high: float, first: float, bound: float) -> list[float]:
    """Halve the interval with each submission: whether it beats the standing one tells on which side the value lies."""
    standing, estimates = first, [(low + high) / 2]
    while high - low > bound:
        middle = (low + high) / 2
        # The mirror image of the standing one: as good as it if the value were the middle.
        challenger = 2 * middle - standing
        wins = score(challenger) > score(standing) + ORDER_TOLERANCE
        if wins == (challenger > middle):
            low = middle
        else:
            high = middle
        standing = challenger if wins else standing
        estimates.append((low + high) / 2)
    return estimates


def block_unrounded(secret: BlockSecret) -> list[float]:
    """Solve for the mean from three levels: the squared error is a parabola of the level, whose curvature is known."""
    curvature = BLOCK_PX**2 / secret.reference.size / RANGE**2
    probes = np.array([0.0, MAX_LEVEL // 2, MAX_LEVEL])
    scores = np.array([secret.score(probe) for probe in probes])
    ratios = 10 ** (-(scores - scores[0]) * (len(secret.other_mse) + 1) / 10)
    # curvature · (level² − 2 · mean · level) + rest = ratio · rest
    matrix = np.column_stack([2 * curvature * probes, ratios - 1])[1:]
    mean, _ = np.linalg.solve(matrix, curvature * probes[1:] ** 2)
    return [secret.guessed, secret.guessed, float(mean)]


def block_by_steps(secret: BlockSecret, display: Display) -> list[float]:
    """Find two levels, below and above the mean, where the shown score steps: the mean lies in their middle.

    First other images are spoiled, pixel by pixel, until a step lies where the block can cross it.
    """
    estimates: list[float] = []

    def ask(level: float, spoiled: float) -> float:
        estimates.append(secret.guessed)
        return display.show(secret.score(level, spoiled))

    guessed = secret.guessed
    reach = min(guessed, MAX_LEVEL - guessed) - 2 * OFF_BY - 2
    lowest = round(guessed - reach)
    text = ask(lowest, 0)
    spoiled = _spoil(secret, display, lambda amount: ask(lowest, amount) < text, reach)
    # Below the step at the lowest level, above it near the mean.
    low, high = lowest, round(guessed)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if ask(middle, spoiled) < text else (low, middle)
    left = (low + high) / 2
    mirrored = 2 * guessed - left
    low, high = math.floor(mirrored - 2 * OFF_BY), min(math.ceil(mirrored + 2 * OFF_BY), MAX_LEVEL)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ask(middle, spoiled) < text else (middle, high)
        estimates[-1] = (left + (low + high) / 2) / 2
    return estimates


def _spoil(secret: BlockSecret, display: Display, is_below: Callable[[float], bool], reach: float) -> float:
    """Return how much of the other images to spoil so that the score is barely below the step."""
    images, usual = len(secret.other_mse) + 1, 10 ** (-USUAL_PSNR_DB / 10)
    block = BLOCK_PX**2 / secret.reference.size * (reach / RANGE) ** 2
    window = 10 * math.log10(1 + block / usual)
    # In dB of one image: several times the step, as the prober only guesses the cost of a spoiled share.
    low, high = 0.0, min(5 * images * 10.0 ** -(display.precision or 0), (images - 1) * _lost(1, usual))
    while high - low > window / 6:
        middle = (low + high) / 2
        low, high = (low, middle) if is_below(_amount(middle, usual)) else (middle, high)
    return _amount(high, usual)


def _lost(share: float, usual: float) -> float:
    """Return the prober's guess of the cost of spoiling a share of an image, in dB."""
    return 10 * math.log10(1 + share * (SPOILED_MSE / usual - 1))


def _amount(lost: float, usual: float) -> float:
    """Return how many images to spoil, and which share of the next one, to lose so many dB."""
    whole, rest = divmod(lost, _lost(1, usual))
    return whole + (10 ** (rest / 10) - 1) / (SPOILED_MSE / usual - 1)


def estimate_gain(secret: GainSecret, display: Display) -> list[float]:
    if display.is_order:
        return by_order(secret.score, *GAINS, 0.0, GAIN_BOUND / 2)
    return gain_by_values(secret, display)


def estimate_block(secret: BlockSecret, display: Display) -> list[float]:
    if display.is_order:
        low, high = secret.guessed - OFF_BY, secret.guessed + OFF_BY
        return by_order(secret.score, low, high, 0.0, BLOCK_BOUND)
    return block_unrounded(secret) if display.precision is None else block_by_steps(secret, display)


# --- The table --------------------------------------------------------------------------------------------------------


def submissions_needed(estimates: list[float], truth: float, bound: float) -> float:
    """Return after how many submissions the estimate lies within the bound and stays there; infinity for never."""
    outside = [index for index, value in enumerate(estimates) if not abs(value - truth) <= bound]
    last = outside[-1] + 1 if outside else 0
    return last + 1 if last < len(estimates) else math.inf


@dataclass(frozen=True)
class Row:
    """The submissions that a prober needs under one display and number of images: median, 90th percentile."""

    display: Display
    images: int
    gain: tuple[float, float]
    block: tuple[float, float]

    def cells(self) -> list[str]:
        worst = max(self.gain[1], self.block[1])
        days, accounts = worst / QUOTA_PER_DAY, worst / QUOTA_TOTAL
        return [
            self.display.name,
            f"{self.images}",
            *(f"{_count(median)} ({_count(most)})" for median, most in (self.gain, self.block)),
            _count(days),
            _count(accounts),
        ]


HEAD = [
    "scores are shown",
    "images",
    "submissions for a gain that all images share, to 1 %",
    "for an 8×8 block's mean to one level",
    f"days at {QUOTA_PER_DAY} a day",
    f"accounts at {QUOTA_TOTAL} a phase",
]


def _count(value: float) -> str:
    return f"{math.ceil(value):,}" if math.isfinite(value) else "not reached"


def _percentiles(counts: list[float]) -> tuple[float, float]:
    median, most = np.quantile(counts, [0.5, 0.9], method="higher")
    return float(median), float(most)


def measure(images: int, seeds: int) -> list[Row]:
    """Return a row for each way of showing, for the same secrets."""
    gains: list[list[float]] = [[] for _ in DISPLAYS]
    blocks: list[list[float]] = [[] for _ in DISPLAYS]
    for seed in range(seeds):
        gain, block = GainSecret.draw(seed, images), BlockSecret.draw(seed, images)
        for index, display in enumerate(DISPLAYS):
            found = estimate_gain(gain, display)
            gains[index].append(submissions_needed(found, gain.gain, GAIN_BOUND * gain.gain))
            blocks[index].append(submissions_needed(estimate_block(block, display), block.mean, BLOCK_BOUND))
    return [
        Row(display, images, _percentiles(g), _percentiles(b))
        for display, g, b in zip(DISPLAYS, gains, blocks, strict=True)
    ]


def table(rows: list[Row]) -> str:
    lines = [HEAD, ["---", *("---:" for _ in HEAD[1:])], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def text_of(seeds: int) -> str:
    measured = [measure(images, seeds) for images in IMAGES]
    rows = [row for alike in zip(*measured, strict=True) for row in alike]
    height, width, channels = PROTOCOL.shape
    blocks = (height // BLOCK_PX) * (width // BLOCK_PX) * channels
    each = measured[-1][0].block[1]
    return (
        f"`python -m benchmarks.prober_edges --write`: the median of {seeds} seeded trials (in parentheses the 90th "
        "percentile, by which days and accounts for both are counted).\n\n"
        f"{table(rows)}\n\n"
        f"In this way an account learns {math.floor(QUOTA_TOTAL / each)} such means in a phase of {QUOTA_TOTAL} "
        f"submissions, as scores are shown now and of {IMAGES[-1]} images; all {blocks:,} blocks of one image take "
        f"{_count(blocks * each / QUOTA_TOTAL)} accounts."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"trials for each line (default: {SEEDS})")
    parser.add_argument("--write", action="store_true", help="put the table into docs/organisers.md")
    options = parser.parse_args()
    text = text_of(options.seeds)
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
