"""Checks of a pair of images, for every metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_pair(reference: NDArray[Any], submission: NDArray[Any], data_range: float) -> None:
    """Raise ValueError or TypeError for a pair that no metric can compare."""
    if reference.shape != submission.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {submission.shape}")
    if reference.size == 0:
        raise ValueError("the images are empty")
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"data_range must be positive and finite, not {data_range}")
    for image in (reference, submission):
        if image.dtype.kind not in "uif":
            raise TypeError(f"images must hold real numbers, not {image.dtype}")
        if not np.isfinite(image).all():
            raise ValueError("the images must be finite")


def planes(image: NDArray[Any], data_range: float) -> NDArray[np.float64]:
    """Convert H×W×C of any real type to C×H×W in float64, data_range becoming 1.0; whole planes filter faster."""
    return np.ascontiguousarray(np.moveaxis(image, 2, 0), dtype=np.float64) / data_range
