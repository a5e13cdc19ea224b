"""The organisers' dummy submission: the display RGB seen through a Bayer filter, nothing undone.

Source: the starter kit of the AIM 2022 Reversed ISP challenge (mv-lab/AISP): `mosaic(rgb)`, times
1024, truncated. It inverts no step of the ISP, so every other method should beat it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baselines.cfa import mosaic

if TYPE_CHECKING:
    from numpy.typing import NDArray

DESCRIPTION = "mosaic: the display RGB sampled as RGGB and scaled to 1024 (the organisers' dummy)"
LEVEL_SCALE = 1024


def predict_packed_raw(rgb: NDArray[np.uint8], track: str) -> NDArray[np.uint16]:
    """Predict a tile's packed RAW.

    Parameters
    ----------
    rgb
        uint8 H×W×3 with even sides, display-referred sRGB.
    track
        Not used: the dummy treats both phones alike.

    Returns
    -------
    uint16 H/2×W/2×4 in R, G, G, B order, 0..1024: both ends are legal under the AIM 2022 protocols.

    Notes
    -----
    ``(rgb / 255 * 1024).astype(uint16)`` in integers, where truncation has no rounding to fear.
    """
    return (mosaic(rgb).astype(np.uint32) * LEVEL_SCALE // 255).astype(np.uint16)
