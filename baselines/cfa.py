"""The Bayer pattern: mosaic, pack and unpack, all in R, G, G, B order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

# (row, column) of each packed channel inside a 2×2 cell, and the colour that is sampled there.
RGGB_OFFSETS = ((0, 0), (0, 1), (1, 0), (1, 1))
RGGB_COLOURS = (0, 1, 1, 2)
# UltraISP's files are RGGB too, but its published loader packs them as B, Gb, R, Gr.
ULTRAISP_OFFSETS = ((1, 1), (0, 1), (0, 0), (1, 0))


def pack(bayer: NDArray[Scalar]) -> NDArray[Scalar]:
    """Gather an RGGB Bayer plane H×W into a packed RAW H/2×W/2×4 of the same dtype.

    Raises
    ------
    ValueError
        If the plane is not two-dimensional with even sides.
    """
    if bayer.ndim != 2 or bayer.shape[0] % 2 or bayer.shape[1] % 2:
        raise ValueError(f"a Bayer plane is H×W with even sides, not {bayer.shape}")
    return np.stack([bayer[row::2, column::2] for row, column in RGGB_OFFSETS], axis=-1)


def pack_ultraisp(bayer: NDArray[Scalar]) -> NDArray[Scalar]:
    """Gather UltraISP's Bayer plane H×W into H/2×W/2×4 in its loader's order B, Gb, R, Gr.

    Raises
    ------
    ValueError
        If the plane is not two-dimensional with even sides.
    """
    if bayer.ndim != 2 or bayer.shape[0] % 2 or bayer.shape[1] % 2:
        raise ValueError(f"a Bayer plane is H×W with even sides, not {bayer.shape}")
    return np.stack([bayer[row::2, column::2] for row, column in ULTRAISP_OFFSETS], axis=-1)


def unpack(packed_raw: NDArray[Scalar]) -> NDArray[Scalar]:
    """Spread a packed RAW H×W×4 out into its RGGB Bayer plane 2H×2W: the inverse of `pack`.

    Raises
    ------
    ValueError
        If the array is not H×W×4.
    """
    if packed_raw.ndim != 3 or packed_raw.shape[2] != 4:
        raise ValueError(f"a packed RAW is H×W×4, not {packed_raw.shape}")
    height, width, _ = packed_raw.shape
    bayer = np.empty((2 * height, 2 * width), packed_raw.dtype)
    for channel, (row, column) in enumerate(RGGB_OFFSETS):
        bayer[row::2, column::2] = packed_raw[:, :, channel]
    return bayer


def mosaic(rgb: NDArray[Scalar]) -> NDArray[Scalar]:
    """Sample an RGB image H×W×3 behind an RGGB filter: packed RAW H/2×W/2×4 of the same dtype.

    Raises
    ------
    ValueError
        If the image is not H×W×3 with even sides.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.shape[0] % 2 or rgb.shape[1] % 2:
        raise ValueError(f"an RGB image is H×W×3 with even sides, not {rgb.shape}")
    planes = [rgb[row::2, column::2, colour] for (row, column), colour in zip(RGGB_OFFSETS, RGGB_COLOURS, strict=True)]
    return np.stack(planes, axis=-1)
