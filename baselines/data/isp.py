"""The forward camera: from a packed RAW to the display image that a phone would show.

Denoise, lens shading correction, white balance, bilinear demosaic, colour matrix, gamma, tone curve, mild
sharpening: each undoes or follows a step of `baselines.data.camera`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from baselines.cfa import RGGB_COLOURS, RGGB_OFFSETS, unpack
from baselines.data.camera import GAMMA, apply_matrix, normalise, rgb_to_camera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from baselines.data.camera import Camera, Exposure

    Float = NDArray[np.float32]

# Neighbours further away than this many standard deviations belong to another surface.
DENOISE_REACH = 2.5
SHARPEN_AMOUNT = 0.4
SHARPEN_SIGMA = 1.0
GREEN_KERNEL = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
RED_BLUE_KERNEL = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4


def denoise(packed_raw: Float, exposure: Exposure) -> Float:
    """Average each sample with those of its eight neighbours that look like it (Lee's sigma filter, 1983).

    Parameters
    ----------
    packed_raw
        float32 H×W×4, normalised.
    exposure
        The photo's noise, which says how alike two samples of one surface are.

    Returns
    -------
    float32 H×W×4.
    """
    variance = np.maximum(packed_raw, 0) * np.float32(exposure.shot) + np.float32(exposure.read)
    reach = np.float32(2 * DENOISE_REACH**2) * variance  # the difference of two samples has twice the variance
    padded = np.pad(packed_raw, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    height, width, _ = packed_raw.shape
    total = packed_raw.copy()
    count = np.ones_like(packed_raw)
    for row, column in np.ndindex(3, 3):
        if (row, column) == (1, 1):
            continue
        neighbour = padded[row : row + height, column : column + width]
        alike = (neighbour - packed_raw) ** 2 < reach
        total += np.where(alike, neighbour, 0)
        count += alike
    return total / count


def demosaic(packed_raw: Float) -> Float:
    """Interpolate a packed RAW H×W×4 bilinearly to 2H×2W×3; float32.

    Every sample keeps its place and value; the borders are mirrored, which keeps the pattern's parity.
    """
    bayer = unpack(packed_raw)
    planes = np.zeros((3, *bayer.shape), np.float32)
    for (row, column), colour in zip(RGGB_OFFSETS, RGGB_COLOURS, strict=True):
        planes[colour, row::2, column::2] = bayer[row::2, column::2]
    kernels = (RED_BLUE_KERNEL, GREEN_KERNEL, RED_BLUE_KERNEL)
    filled = [ndimage.convolve(plane, kernel, mode="mirror") for plane, kernel in zip(planes, kernels, strict=True)]
    return np.stack(filled, axis=-1)


def tone(image: Float) -> Float:
    """Apply the tone curve 3x² − 2x³ to an image in 0..1."""
    return image * image * (3 - 2 * image)


def sharpen(image: Float) -> Float:
    """Sharpen by an unsharp mask on the luma of a display image H×W×3 in 0..1."""
    luma = image @ np.array([0.299, 0.587, 0.114], np.float32)
    detail = luma - ndimage.gaussian_filter(luma, SHARPEN_SIGMA, mode="mirror")
    sharpened: Float = np.clip(image + np.float32(SHARPEN_AMOUNT) * detail[..., None], 0, 1)
    return sharpened


def develop(
    packed_raw: NDArray[np.uint16], camera: Camera, exposure: Exposure, shading: Float | None = None
) -> NDArray[np.uint8]:
    """Develop a packed RAW to a display image.

    Parameters
    ----------
    packed_raw
        uint16 H×W×4 in R, G, G, B order.
    camera, exposure
        The settings that the RAW was taken with.
    shading
        The `shading_map` that the RAW was taken through, 2H×2W×3; the ISP corrects it.

    Returns
    -------
    uint8 2H×2W×3, sRGB.
    """
    linear = demosaic(_white_balance(denoise(normalise(packed_raw, camera), exposure), exposure, shading))
    rgb = np.clip(apply_matrix(linear, np.linalg.inv(rgb_to_camera(camera))), 0, 1)
    display = sharpen(tone(np.maximum(rgb, np.float32(1e-8)) ** np.float32(1 / GAMMA)))
    return np.rint(display * 255).astype(np.uint8)


def _white_balance(packed_raw: Float, exposure: Exposure, shading: Float | None) -> Float:
    """Multiply with the gains, correct the lens, and clip to 0..1."""
    colours = list(RGGB_COLOURS)
    balanced = packed_raw / exposure.gains[colours]
    if shading is not None:
        lens = [
            shading[row::2, column::2, colour] for (row, column), colour in zip(RGGB_OFFSETS, RGGB_COLOURS, strict=True)
        ]
        balanced /= np.stack(lens, axis=-1)
    clipped: Float = np.clip(balanced, 0, 1)
    return clipped
