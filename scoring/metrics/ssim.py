"""Structural similarity, as the AIM 2022 Reversed ISP organisers compute it unless told otherwise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGMA_PX = 1.5
# As scipy's Gaussian filter has them by default: out to four sigmas (Wang and scikit-image take 11).
TAPS = 13
# Not the window's radius: the organisers cut 5 pixels on each side.
CROP_PX = 5
K1 = 0.01
K2 = 0.03


def ssim(
    reference: NDArray[Any],
    submission: NDArray[Any],
    *,
    data_range: float,
    taps: int = TAPS,
    sigma: float = SIGMA_PX,
    crop_px: int = CROP_PX,
    sample_covariance: bool = False,
) -> float:
    """Return the mean structural similarity of two images: per channel, then the mean of the channels.

    Parameters
    ----------
    reference, submission
        H×W×C arrays of one shape, integer or floating, finite; H and W above ``2·crop_px``.
    data_range
        The level that counts as 1.0 (1024 in AIM 2022, for both tracks); positive.
    taps
        Width of the Gaussian window in pixels, odd.
    sigma
        Its standard deviation, in pixels.
    crop_px
        How many pixels on each side are left out of the mean.
    sample_covariance
        Whether variances and covariance are those of a sample, multiplied by N/(N−1) with N = taps².

    Returns
    -------
    float
        At most 1, the value for identical images.

    Raises
    ------
    ValueError
        Different shapes, too few rows or columns, no channel, an even window, a data range that is not positive and
        finite, or NaN or infinity.
    TypeError
        An array that holds no real numbers.

    Notes
    -----
    Borders are mirrored, the border pixel included; with 11 taps and a crop of 5 no mirrored pixel counts, which is
    the definition of Wang et al.

    References
    ----------
    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004;
    AIM 2022 Reversed ISP, the organisers' scoring program (``SSIM`` of ``evaluation.py``).
    """
    if reference.shape != submission.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {submission.shape}")
    if reference.ndim != 3 or min(reference.shape[:2]) <= 2 * crop_px or reference.shape[2] == 0:
        raise ValueError(f"images must be H×W×C with H and W above {2 * crop_px}, not {reference.shape}")
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"data_range must be positive and finite, not {data_range}")
    weights = window(taps, sigma)
    unbias = unbiasing(taps, sample_covariance=sample_covariance)
    total = 0.0
    for channel in range(reference.shape[2]):
        a, b = (_plane(image[..., channel], data_range) for image in (reference, submission))
        similarity = _similarity_map(a, b, weights, unbias)
        height, width = similarity.shape
        total += float(np.mean(similarity[crop_px : height - crop_px, crop_px : width - crop_px]))
    return float(total / reference.shape[2])


def window(taps: int, sigma: float) -> NDArray[np.float64]:
    """Return the Gaussian window in one direction, its sum 1."""
    if taps < 1 or taps % 2 == 0:
        raise ValueError(f"a window has an odd number of taps, not {taps}")
    offsets = np.arange(taps) - taps // 2
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised


def unbiasing(taps: int, *, sample_covariance: bool) -> float:
    """Return the factor of variances and covariance."""
    return taps * taps / (taps * taps - 1) if sample_covariance else 1.0


def _plane(image: NDArray[Any], data_range: float) -> NDArray[np.float64]:
    """Return one channel of any real type in float64, data_range becoming 1.0."""
    if image.dtype.kind not in "uif":
        raise TypeError(f"images must hold real numbers, not {image.dtype}")
    if not np.isfinite(image).all():
        raise ValueError("the images must be finite")
    return np.ascontiguousarray(image, dtype=np.float64) / data_range


def _similarity_map(
    a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64], unbias: float
) -> NDArray[np.float64]:
    mean_a = _blur(a, weights)
    mean_b = _blur(b, weights)
    mean_product = mean_a * mean_b
    mean_squares = mean_a * mean_a + mean_b * mean_b
    covariance = unbias * (_blur(a * b, weights) - mean_product)
    # var(a) + var(b) in one filter: the window is linear.
    variances = unbias * (_blur(a * a + b * b, weights) - mean_squares)
    c1 = K1 * K1
    c2 = K2 * K2
    similarity: NDArray[np.float64] = ((2 * mean_product + c1) * (2 * covariance + c2)) / (
        (mean_squares + c1) * (variances + c2)
    )
    return similarity


def _blur(plane: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    # It takes longer to import than all else, and pairs of ordinary images never come here.
    from scipy.ndimage import correlate1d  # noqa: PLC0415

    rows: NDArray[np.float64] = correlate1d(plane, weights, axis=0, mode="reflect")
    both: NDArray[np.float64] = correlate1d(rows, weights, axis=1, mode="reflect")
    return both
