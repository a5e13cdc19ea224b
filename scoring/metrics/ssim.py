"""Structural similarity as the AIM 2022 Reversed ISP organisers compute it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGMA_PX = 1.5
# In units of sigma, as scipy has it by default: a radius of 6, so 13 taps (scikit-image takes 11).
TRUNCATE = 4.0
# Not the window's radius: the organisers cut 5 pixels on each side.
CROP_PX = 5
K1 = 0.01
K2 = 0.03


def ssim(reference: NDArray[Any], submission: NDArray[Any], *, data_range: float) -> float:
    """Mean structural similarity of two packed RAW images: per channel, then the mean of the channels.

    Parameters
    ----------
    reference, submission
        H×W×C arrays of one shape, integer or floating, finite; H and W at least 11.
    data_range
        The level that counts as 1.0 (1024 in AIM 2022, for both tracks); positive.

    Returns
    -------
    float
        At most 1, the value for identical images.

    Raises
    ------
    ValueError
        Different shapes, fewer than 11 rows or columns, no channel, a data range that is not positive and
        finite, or NaN or infinity.
    TypeError
        An array that holds no real numbers.

    Notes
    -----
    Gaussian window of 13 taps with sigma 1.5, borders reflected; variances without the N/(N−1) correction.

    References
    ----------
    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004;
    AIM 2022 Reversed ISP, the organisers' scoring program (``SSIM`` of ``evaluation.py``).
    """
    if reference.shape != submission.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {submission.shape}")
    if reference.ndim != 3 or min(reference.shape[:2]) <= 2 * CROP_PX or reference.shape[2] == 0:
        raise ValueError(f"images must be H×W×C with H and W above {2 * CROP_PX}, not {reference.shape}")
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"data_range must be positive and finite, not {data_range}")
    a = _planes(reference, data_range)
    b = _planes(submission, data_range)
    similarity = _similarity_map(a, b)[:, CROP_PX:-CROP_PX, CROP_PX:-CROP_PX]
    # Every plane has as many pixels, so the mean of the planes' means is the mean of all.
    return float(np.mean(similarity))


def _planes(image: NDArray[Any], data_range: float) -> NDArray[np.float64]:
    """H×W×C of any real type to C×H×W in float64, data_range becoming 1.0; whole planes filter faster."""
    if image.dtype.kind not in "uif":
        raise TypeError(f"images must hold real numbers, not {image.dtype}")
    if not np.isfinite(image).all():
        raise ValueError("the images must be finite")
    planes = np.ascontiguousarray(np.moveaxis(image, 2, 0), dtype=np.float64)
    return planes / data_range


def _similarity_map(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    mean_a = _blur(a)
    mean_b = _blur(b)
    mean_product = mean_a * mean_b
    mean_squares = mean_a * mean_a + mean_b * mean_b
    covariance = _blur(a * b) - mean_product
    # var(a) + var(b) in one filter: the window is linear.
    variances = _blur(a * a + b * b) - mean_squares
    c1 = K1 * K1
    c2 = K2 * K2
    similarity: NDArray[np.float64] = ((2 * mean_product + c1) * (2 * covariance + c2)) / (
        (mean_squares + c1) * (variances + c2)
    )
    return similarity


def _blur(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = gaussian_filter1d(planes, SIGMA_PX, axis=1, mode="reflect", truncate=TRUNCATE)
    both: NDArray[np.float64] = gaussian_filter1d(rows, SIGMA_PX, axis=2, mode="reflect", truncate=TRUNCATE)
    return both
