"""A hidden set of images as a prober meets it, and the regions whose means he wants."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from baselines.data.camera import reference_from_rgb
from baselines.data.degrade import Degradation
from baselines.data.scenes import compose_scene
from scoring.metrics.psnr import psnr, psnr_of
from scoring.protocol import load_protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Region = tuple[slice, slice, int]

PROTOCOL = load_protocol("aim22-s7")
LEVELS = int(PROTOCOL.level_scale or 0)
MOST_LEVEL = int(PROTOCOL.white_level or LEVELS)
PHOTOS = 5
BLOCK_PX = 8
LARGE_PX = 96
CHANNEL_TOLERANCE, BLOCK_TOLERANCE_LEVELS = 0.01, 1.0
# A prediction of the level of good methods: about 30 dB.
PREDICTION = Degradation(blur=0.7, gain=0.94, noise=6)


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
