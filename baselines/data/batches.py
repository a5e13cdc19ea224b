"""Batches of aligned crops for training: the crops of a step depend on the seed and the step alone.

Training that is stopped and resumed therefore sees exactly the same batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baselines.cfa import pack, unpack
from baselines.errors import BaselineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from baselines.data.pairs import PairSet

FLIP_MARGIN = 2  # a mosaic that is flipped stays RGGB only where it is moved by one pixel


@dataclass(frozen=True)
class Crops:
    """A batch.

    Attributes
    ----------
    rgb
        uint8 N×H×W×3.
    raw
        uint16 N×H/2×W/2×4, packed.
    places
        float32 N×4: top, bottom, left and right of the crop in its photo, whose sides lie at −1 and 1.
    """

    rgb: NDArray[np.uint8]
    raw: NDArray[np.uint16]
    places: NDArray[np.float32]


class CropBatches:
    """The batches of a training, by the number of the step."""

    def __init__(self, pairs: PairSet, *, batch: int, crop: int, flips: bool, seed: int) -> None:
        """Describe the batches.

        Parameters
        ----------
        pairs
            Where the crops are cut.
        batch, crop
            Crops of a batch, and the side of one in RGB pixels (even). A crop as large as the tile is the tile.
        flips
            Whether half of the crops are mirrored, in both directions; only of RGGB.
        seed
            The same seed gives the same batches.

        Raises
        ------
        BaselineError
            If the crop does not fit into a tile.
        """
        size = pairs.track.tile_size
        largest = size - FLIP_MARGIN if flips else size
        if not 2 <= crop <= largest or crop % 2:
            raise BaselineError(f"A crop of track {pairs.track.name} is even and at most {largest} pixels, not {crop}.")
        if batch < 1:
            raise BaselineError(f"A batch has at least one crop, not {batch}.")
        self._pairs, self._batch, self._crop, self._flips, self._seed = pairs, batch, crop, flips, seed

    def __getitem__(self, step: int) -> Crops:
        """Return the batch of a step."""
        rng = np.random.default_rng([self._seed, step])
        chosen = rng.integers(len(self._pairs.pairs), size=self._batch)
        crops = [self._cut(int(place), rng) for place in chosen]
        rgb, raw, places = zip(*crops, strict=True)
        return Crops(np.stack(rgb), np.stack(raw), np.stack(places))

    def _cut(
        self, number: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.float32]]:
        pair = self._pairs.pairs[number]
        rgb, raw = self._pairs.load_rgb(pair), self._pairs.load_raw(pair)
        side = self._crop + (FLIP_MARGIN if self._flips else 0)
        size = rgb.shape[0]
        top, left = (2 * int(offset) for offset in rng.integers((size - side) // 2 + 1, size=2))
        rgb = rgb[top : top + side, left : left + side]
        raw = raw[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2]
        place = _place_of_crop(self._pairs.grid.place(pair.name), top / size, left / size, self._crop / size)
        if self._flips:
            down, across = (bool(flip) for flip in rng.integers(2, size=2))
            rgb, raw, place = flip(rgb, raw, place, down=down, across=across)
        return np.ascontiguousarray(rgb), np.ascontiguousarray(raw), place


def flip(
    rgb: NDArray[np.uint8], raw: NDArray[np.uint16], place: NDArray[np.float32], *, down: bool, across: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.float32]]:
    """Mirror a crop and cut its margin, so that the RAW stays RGGB and lies under the same pixels of the RGB.

    Parameters
    ----------
    rgb, raw, place
        H×W×3, packed RGGB H/2×W/2×4, and the place in the photo.
    down, across
        Whether top and bottom, and left and right, change places.

    Returns
    -------
    The crop, smaller by two pixels in height and width.
    """
    bayer = unpack(raw)
    if down:
        rgb, bayer = rgb[::-1], bayer[::-1]
    if across:
        rgb, bayer = rgb[:, ::-1], bayer[:, ::-1]
    # A mirrored crop begins with an odd pixel of the mosaic, and is right after one more.
    top, left = int(down), int(across)
    height, width = bayer.shape[0] - FLIP_MARGIN, bayer.shape[1] - FLIP_MARGIN
    window = (slice(top, top + height), slice(left, left + width))
    order = [1, 0] if down else [0, 1]
    order += [3, 2] if across else [2, 3]
    return rgb[window], pack(bayer[window]), place[order]


def _place_of_crop(tile: NDArray[np.float32], top: float, left: float, side: float) -> NDArray[np.float32]:
    """Return the place of a crop, from the place of its tile and the part of it that the crop is."""
    height, width = tile[1] - tile[0], tile[3] - tile[2]
    return np.array(
        [
            tile[0] + top * height,
            tile[0] + (top + side) * height,
            tile[2] + left * width,
            tile[2] + (left + side) * width,
        ],
        np.float32,
    )
