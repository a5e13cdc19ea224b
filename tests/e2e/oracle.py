"""PSNR and SSIM as the AIM 2022 organisers' scorer computes them: a second reading of the formulas.

It shares no code with `scoring/` and none of its shortcuts: every step in float64, one channel after the other, the
window's 13 taps written out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Plane = NDArray[np.float64]

LEVELS = 1024
IDENTICAL_DB = 999.0
SIGMA_PX = 1.5
RADIUS_PX = 6
CROP_PX = 5
C1, C2 = 0.01**2, 0.03**2
TAPS = np.exp(-0.5 * (np.arange(-RADIUS_PX, RADIUS_PX + 1) / SIGMA_PX) ** 2)
TAPS /= TAPS.sum()


def psnr_db(reference: NDArray[Any], submission: NDArray[Any]) -> float:
    """Return 10·log10(1/mse) of the arrays divided by 1024; 999 where they are identical."""
    error = reference.astype(np.float64) / LEVELS - submission.astype(np.float64) / LEVELS
    mse = float(np.mean(error**2))
    return IDENTICAL_DB if mse == 0 else 10 * math.log10(1 / mse)


def ssim(reference: NDArray[Any], submission: NDArray[Any]) -> float:
    """Return the mean over the channels of the SSIM of the arrays divided by 1024."""
    pairs = zip(np.moveaxis(reference, -1, 0), np.moveaxis(submission, -1, 0), strict=True)
    return float(np.mean([_ssim_of_channel(a.astype(float) / LEVELS, b.astype(float) / LEVELS) for a, b in pairs]))


def _ssim_of_channel(a: Plane, b: Plane) -> float:
    mean_a, mean_b = _window(a), _window(b)
    variance_a = _window(a * a) - mean_a**2
    variance_b = _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    similarity = ((2 * mean_a * mean_b + C1) * (2 * covariance + C2)) / (
        (mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2)
    )
    return float(similarity[CROP_PX:-CROP_PX, CROP_PX:-CROP_PX].mean())


def _window(plane: Plane) -> Plane:
    rows: Plane = ndimage.correlate1d(plane, TAPS, axis=0, mode="reflect")
    both: Plane = ndimage.correlate1d(rows, TAPS, axis=1, mode="reflect")
    return both


def score_images(
    references: Mapping[str, NDArray[Any]], submission: Mapping[str, NDArray[Any]]
) -> dict[str, dict[str, float]]:
    """Return name → metric → score of every reference."""
    return {
        name: {"psnr": psnr_db(truth, submission[name]), "ssim": ssim(truth, submission[name])}
        for name, truth in references.items()
    }


def mean_scores(images: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return metric → the arithmetic mean over the images."""
    return {metric: float(np.mean([scores[metric] for scores in images.values()])) for metric in ("psnr", "ssim")}
