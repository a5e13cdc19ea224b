"""The scores by their formulas, read a second time and on its own: nothing here uses `scoring`.

mse is the mean over height, width and channels of the squared difference of levels / 1024; PSNR is 10·log10(1/mse),
and 999 where the images are equal. SSIM is computed per channel with a Gaussian of σ = 1.5, cut at four sigmas (13
taps) and mirrored at the border, with population variances, C1 = 0.01², C2 = 0.03² and a border of 5 pixels left out;
then the mean over the four channels. A submission's score is the mean over its images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Levels = NDArray[np.uint16]
    Plane = NDArray[np.float64]

BORDER_PX = 5


def psnr_db(truth: Levels, submitted: Levels) -> float:
    error = (truth.astype(np.float64) - submitted.astype(np.float64)) / 1024
    mse = float((error**2).mean())
    return 999.0 if mse == 0 else float(-10 * np.log10(mse))


def ssim(truth: Levels, submitted: Levels) -> float:
    planes = (_ssim_of_plane(truth[..., index], submitted[..., index]) for index in range(truth.shape[2]))
    return float(np.mean(list(planes)))


def _ssim_of_plane(truth: Levels, submitted: Levels) -> float:
    x, y = truth.astype(np.float64) / 1024, submitted.astype(np.float64) / 1024
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    inside = slice(BORDER_PX, -BORDER_PX)
    return float((luminance * structure)[inside, inside].mean())


def _blur(plane: Plane) -> Plane:
    taps = np.arange(-6, 7)
    weights = np.exp(-(taps**2) / (2 * 1.5**2))
    weights /= weights.sum()
    for axis in (0, 1):
        plane = ndimage.correlate1d(plane, weights, axis=axis, mode="reflect")
    return plane
