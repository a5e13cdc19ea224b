"""Unprocessing by formula: every step of a camera's ISP is undone with fixed numbers; nothing is learned.

Source: Brooks et al., "Unprocessing Images for Learned Raw Denoising" (CVPR 2019; Apache-2.0), written from its
formulas: inverse tone curve, inverse gamma, colour matrix, white balance gains with a highlight mask, mosaic. Its
random gains and matrices are for making training data; a prediction takes the middle of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baselines.cfa import mosaic
from baselines.data.camera import CAMERAS, MEAN_INVERSE_RGB_GAIN, Exposure, quantise, unprocess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from baselines.data.camera import Camera

DESCRIPTION = "upi: unprocessing by formula with the track's camera and mean gains; nothing is learned"


def mean_exposure(camera: Camera) -> Exposure:
    """Return the middle of the gains that a camera's photos may have, without noise."""
    return Exposure(
        rgb_gain=1 / MEAN_INVERSE_RGB_GAIN,
        red_gain=sum(camera.red_gain) / 2,
        blue_gain=sum(camera.blue_gain) / 2,
        shot=0.0,
        read=0.0,
    )


def predict_packed_raw(rgb: NDArray[np.uint8], track: str) -> NDArray[np.uint16]:
    """Predict a tile's packed RAW.

    Parameters
    ----------
    rgb
        uint8 H×W×3 with even sides, display-referred sRGB.
    track
        Whose camera is undone: its matrix, its levels and the middle of its gains.

    Returns
    -------
    uint16 H/2×W/2×4 in R, G, G, B order, between the camera's black and white level.
    """
    camera = CAMERAS[track]
    light = unprocess(rgb.astype(np.float32) / np.float32(255), camera, mean_exposure(camera))
    return quantise(mosaic(light), camera)
