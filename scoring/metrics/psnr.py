"""Peak signal-to-noise ratio as the AIM 2022 Reversed ISP organisers compute it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The organisers' scorer's value for two identical images, where the ratio is not finite.
IDENTICAL_PSNR_DB = 999.0


def psnr(reference: NDArray[Any], submission: NDArray[Any], *, data_range: float) -> float:
    """Return the peak signal-to-noise ratio (dB) of two images of one shape, over all pixels and channels at once.

    Parameters
    ----------
    reference, submission
        Arrays of one shape (any), integer or floating, finite.
    data_range
        The level that counts as 1.0 (1024 in AIM 2022, for both tracks); positive.

    Returns
    -------
    float
        ``10 · log10(data_range² / mse)`` in dB, or 999 when the images are identical.

    Raises
    ------
    ValueError
        Different shapes, an empty image, a data range that is not positive and finite, or NaN or infinity.
    TypeError
        An array that holds no real numbers.

    References
    ----------
    AIM 2022 Reversed ISP, the organisers' scoring program (``PSNR`` of ``evaluation.py``).
    """
    if reference.shape != submission.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {submission.shape}")
    if reference.size == 0:
        raise ValueError("the images are empty")
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"data_range must be positive and finite, not {data_range}")
    return psnr_of(_sum_of_squared_differences(reference, submission), reference.size, data_range)


def psnr_of(squared_error: float, values: int, data_range: float) -> float:
    """Return the ratio in dB, from the sum of squared differences of so many values."""
    if squared_error == 0:
        return IDENTICAL_PSNR_DB
    return 10.0 * math.log10(data_range * data_range * values / squared_error)


def _sum_of_squared_differences(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the sum: exact for integers of up to 16 bits (2³¹ fit into 63 bits), in float64 otherwise."""
    if all(array.dtype.kind in "ui" and array.dtype.itemsize <= 2 for array in (a, b)):
        difference = np.subtract(a, b, dtype=np.int64).ravel()
        return int(np.dot(difference, difference))
    if any(array.dtype.kind not in "uif" for array in (a, b)):
        raise TypeError(f"images must hold real numbers, not {a.dtype} and {b.dtype}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("the images must be finite")
    return float(np.sum(np.square(np.subtract(a, b, dtype=np.float64))))
