"""Colour difference CIEDE2000 of two sRGB images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.metrics.images import check_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Linear sRGB (ITU-R BT.709 primaries, white D65) to CIE XYZ.
_XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
# CIE standard illuminant D65, observer of 2°.
_WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
# Above this the Lab curve is a cube root, below it a straight line.
_LAB_EDGE = (6 / 29) ** 3
# Pixels at once: some thirty arrays of them are alive together.
_BLOCK_PIXELS = 1 << 15


def delta_e(reference: NDArray[Any], submission: NDArray[Any], *, data_range: float) -> float:
    """Return the mean CIEDE2000 colour difference of two sRGB images.

    Parameters
    ----------
    reference, submission
        H×W×3 arrays of one shape, integer or floating, finite: red, green and blue, encoded by the sRGB curve.
    data_range
        The level that counts as 1.0 (255 for 8-bit images); positive.

    Returns
    -------
    float
        The mean over the pixels; 0 for identical images, about 1 for a difference that is just noticeable.

    Raises
    ------
    ValueError
        Different shapes, an empty image, not three channels, a data range that is not positive and finite, or NaN or
        infinity.
    TypeError
        An array that holds no real numbers.

    Notes
    -----
    sRGB → linear RGB → XYZ → Lab under D65 (2° observer), then CIEDE2000 with kL = kC = kH = 1.

    References
    ----------
    IEC 61966-2-1 (sRGB); G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula: implementation
    notes, supplementary test data, and mathematical observations", Color Research & Application 30, 2005.
    """
    check_pair(reference, submission, data_range)
    if reference.ndim != 3 or reference.shape[2] != 3:
        raise ValueError(f"images must be H×W×3, not {reference.shape}")
    a, b = reference.reshape(-1, 3), submission.reshape(-1, 3)
    total = 0.0
    for start in range(0, len(a), _BLOCK_PIXELS):
        block = slice(start, start + _BLOCK_PIXELS)
        total += float(ciede2000(lab_of_srgb(a[block] / data_range), lab_of_srgb(b[block] / data_range)).sum())
    return total / len(a)


def lab_of_srgb(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert N×3 sRGB values, 0..1, to CIE L*, a*, b* under D65; values outside 0..1 are not clipped."""
    curve = ((np.maximum(srgb, 0.04045) + 0.055) / 1.055) ** 2.4
    linear = np.where(srgb > 0.04045, curve, srgb / 12.92)
    xyz = linear @ _XYZ_FROM_RGB.T / _WHITE_D65
    f = np.where(xyz > _LAB_EDGE, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.T
    lab: NDArray[np.float64] = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    return lab


def ciede2000(lab_1: NDArray[np.float64], lab_2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIEDE2000 of N pairs of L*, a*, b* (N×3 each); in the steps and with the names of Sharma et al."""
    l_1, a_1, b_1 = lab_1.T
    l_2, a_2, b_2 = lab_2.T
    c_bar = (np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2
    g = 0.5 * (1 - np.sqrt(c_bar**7 / (c_bar**7 + 25.0**7)))
    c_1, h_1 = _chroma_hue((1 + g) * a_1, b_1)
    c_2, h_2 = _chroma_hue((1 + g) * a_2, b_2)

    is_grey = c_1 * c_2 == 0
    turn = h_2 - h_1
    turn = np.where(is_grey, 0.0, turn - 360 * (turn > 180) + 360 * (turn < -180))
    delta_l, delta_c = l_2 - l_1, c_2 - c_1
    delta_h = 2 * np.sqrt(c_1 * c_2) * np.sin(np.radians(turn / 2))

    total = h_1 + h_2
    is_far = np.abs(h_1 - h_2) > 180
    h_mean = np.where(is_far, np.where(total < 360, total + 360, total - 360), total) / 2
    h_mean = np.where(is_grey, total, h_mean)
    l_mean, c_mean = (l_1 + l_2) / 2, (c_1 + c_2) / 2

    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * _hue_weight(h_mean)
    r_c = 2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7))
    r_t = -np.sin(np.radians(60 * np.exp(-(((h_mean - 275) / 25) ** 2)))) * r_c
    lightness, chroma, hue = delta_l / s_l, delta_c / s_c, delta_h / s_h
    # Rounding may leave something below 0 where two colours are the same.
    squared = np.maximum(lightness**2 + chroma**2 + hue**2 + r_t * chroma * hue, 0.0)
    return np.asarray(np.sqrt(squared))


def _chroma_hue(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return chroma, and hue in degrees, 0 to 360; a grey has the hue 0."""
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _hue_weight(h_mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor T, of the mean hue in degrees."""
    weight: NDArray[np.float64] = (
        1
        - 0.17 * np.cos(np.radians(h_mean - 30))
        + 0.24 * np.cos(np.radians(2 * h_mean))
        + 0.32 * np.cos(np.radians(3 * h_mean + 6))
        - 0.20 * np.cos(np.radians(4 * h_mean - 63))
    )
    return weight
