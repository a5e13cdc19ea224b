"""Multi-scale structural similarity as Wang, Simoncelli and Bovik define it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.metrics.images import check_pair, planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAPS = 11
SIGMA_PX = 1.5
K1 = 0.01
K2 = 0.03
# From the finest scale to the coarsest; their sum is 1.
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_OFFSETS = np.arange(TAPS) - TAPS // 2
_WINDOW = np.exp(-(_OFFSETS**2) / (2 * SIGMA_PX**2))
_WINDOW /= _WINDOW.sum()
# The coarsest of the five scales still holds one whole window.
MIN_SIDE_PX = (TAPS - 1) * 2 ** (len(WEIGHTS) - 1) + 1


def ms_ssim(reference: NDArray[Any], submission: NDArray[Any], *, data_range: float) -> float:
    """Return the multi-scale structural similarity of two images, five scales: per channel, then the channels' mean.

    Parameters
    ----------
    reference, submission
        H×W×C arrays of one shape, integer or floating, finite; H and W at least 161.
    data_range
        The level that counts as 1.0; positive.

    Returns
    -------
    float
        Between 0 and 1, the value for identical images.

    Raises
    ------
    ValueError
        Different shapes, fewer than 161 rows or columns, no channel, a data range that is not positive and finite, or
        NaN or infinity.
    TypeError
        An array that holds no real numbers.

    Notes
    -----
    Contrast and structure are compared at every scale, luminance at the coarsest alone, each as the mean over the
    pixels where the window of 11 taps with sigma 1.5 fits; between two scales, the mean of 2×2 pixels (an odd last
    row or column repeated). A mean below 0 counts as 0, since it has no real power: the definition leaves that open.

    References
    ----------
    Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multi-scale structural similarity for image quality assessment",
    Asilomar Conference on Signals, Systems and Computers 2003, equation 7 and section 3.2 (weights).
    """
    check_pair(reference, submission, data_range)
    if reference.ndim != 3 or min(reference.shape[:2]) < MIN_SIDE_PX:
        raise ValueError(f"images must be H×W×C with H and W at least {MIN_SIDE_PX}, not {reference.shape}")
    channels = zip(planes(reference, data_range), planes(submission, data_range), strict=True)
    return float(np.mean([_of_channel(a, b) for a, b in channels]))


def _of_channel(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    similarity = 1.0
    for weight in WEIGHTS[:-1]:
        _, contrast_structure = _compare(a, b)
        similarity *= max(contrast_structure, 0.0) ** weight
        a, b = _halved(a), _halved(b)
    whole, _ = _compare(a, b)
    return similarity * math.pow(max(whole, 0.0), WEIGHTS[-1])


def _compare(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """Return the means of the whole similarity, and of its contrast and structure alone, at one scale."""
    mean_a, mean_b = _blur(a), _blur(b)
    variances = _blur(a * a) - mean_a * mean_a + _blur(b * b) - mean_b * mean_b
    covariance = _blur(a * b) - mean_a * mean_b
    c1, c2 = K1 * K1, K2 * K2
    contrast_structure = (2 * covariance + c2) / (variances + c2)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a * mean_a + mean_b * mean_b + c1)
    return float(np.mean(luminance * contrast_structure)), float(np.mean(contrast_structure))


def _blur(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Gaussian window, where it fits: fewer pixels by 10 in both directions."""
    for _ in range(2):
        kept = len(plane) - TAPS + 1
        # Along the rows, and after the transposition along the columns.
        plane = sum((weight * plane[at : at + kept] for at, weight in enumerate(_WINDOW)), np.zeros(1)).T
    return plane


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    even = np.pad(plane, [(0, side % 2) for side in plane.shape], mode="edge")
    halved: NDArray[np.float64] = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return halved
