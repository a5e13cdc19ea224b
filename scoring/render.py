"""Packed RAW for the eye: the organisers' visualisation, and maps of where two images differ."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAMMA = 2.2
_LEAST = 1e-8
_PACKED_CHANNELS = 4
_RGB_CHANNELS = 3
# From no difference to the greatest: black, violet, red, orange, white. Its lightness rises all the way, so that it
# can be read without telling colours apart.
_HEAT = np.array([(0, 0, 0), (70, 15, 110), (190, 50, 85), (250, 150, 40), (255, 250, 220)], dtype=np.float64)


def visualise(image: NDArray[Any], *, data_range: float) -> NDArray[np.uint8]:
    """Return an image as people can see it; nothing is white-balanced, and no score depends on it.

    Packed RAW is shown as the organisers' starter notebook shows it: the two greens' mean, twice the size by bilinear
    interpolation, gamma 1/2.2, then the tone curve 3x² − 2x³. RGB images are shown as they are.

    Parameters
    ----------
    image
        Height × width × 4 (R, G, G, B) or × 3 (RGB), of numbers.
    data_range
        The stored level that is white.

    Returns
    -------
    uint8 RGB, 2·height × 2·width × 3 for packed RAW, height × width × 3 for RGB.

    Raises
    ------
    ValueError
        The image has another number of channels.
    """
    _check(image)
    light = np.clip(image.astype(np.float64) / data_range, 0, 1)
    if image.shape[2] == _PACKED_CHANNELS:
        red, green_1, green_2, blue = np.moveaxis(light, 2, 0)
        rgb = _twice(_twice(np.stack((red, (green_1 + green_2) / 2, blue), axis=2), 0), 1)
        x = np.maximum(rgb, _LEAST) ** (1 / GAMMA)
        light = np.clip(3 * x**2 - 2 * x**3, 0, 1)
    return _to_bytes(light * 255)


def difference_levels(reference: NDArray[Any], submission: NDArray[Any]) -> NDArray[np.float64]:
    """Return height × width: the mean over the channels of the absolute difference, in stored levels.

    Raises
    ------
    ValueError
        The two have not the same shape, or not three or four channels.
    """
    _check(reference)
    if reference.shape != submission.shape:
        raise ValueError(f"the two differ in shape: {reference.shape} and {submission.shape}")
    levels: NDArray[np.float64] = np.abs(reference.astype(np.float64) - submission.astype(np.float64)).mean(axis=2)
    return levels


def heat_map(levels: NDArray[np.float64], *, top: float) -> NDArray[np.uint8]:
    """Return differences as colours, from black (none) by violet, red and orange to white (``top`` levels and above).

    Returns
    -------
    uint8 RGB, 2·height × 2·width × 3, every pixel a block of four: nothing is interpolated.
    """
    place = np.clip(levels / top, 0, 1) * (len(_HEAT) - 1)
    colours = np.stack([np.interp(place, np.arange(len(_HEAT)), _HEAT[:, channel]) for channel in range(3)], axis=2)
    return _to_bytes(colours.repeat(2, axis=0).repeat(2, axis=1))


def png_bytes(rgb: NDArray[np.uint8]) -> bytes:
    """Return a PNG file of a uint8 RGB image."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def _check(image: NDArray[Any]) -> None:
    if image.ndim != 3 or image.shape[2] not in (_RGB_CHANNELS, _PACKED_CHANNELS):
        raise ValueError(f"only images of three or four channels can be shown, not of shape {image.shape}")


def _twice(image: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return twice as many pixels along an axis, as OpenCV's bilinear resize does: pixel centres at quarters."""
    image = np.moveaxis(image, axis, 0)
    before = np.concatenate((image[:1], image[:-1]))
    after = np.concatenate((image[1:], image[-1:]))
    pairs = np.stack((0.75 * image + 0.25 * before, 0.75 * image + 0.25 * after), axis=1)
    return np.moveaxis(pairs.reshape(-1, *image.shape[1:]), 0, axis)


def _to_bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(values).astype(np.uint8)
