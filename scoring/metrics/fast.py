"""PSNR and SSIM of a pair in compiled loops (docs/benchmarks.md says how fast): the numbers of the general way.

PSNR is exact. SSIM is worked on tile by tile, in float32 where the bound derived in :mod:`scoring.metrics.kernel`
proves that an image's mean stays within ``MAX_ERROR`` of the exact value, and in float64 where it does not.

In float64, of values up to ``p``, the same derivation holds with ``γ = 32·2⁻⁵³`` for ``g``: α + β ≤ 15·γ·p², and a
pixel's similarity is off by less than ``2·(α + β) / (2·(K2·data_range)²)``: 6e-11 for images within the data range,
2.5e-7 for values of ``MAX_EXCESS`` times the data range, and larger ones are not scored here.
"""

from __future__ import annotations

import math
import threading
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scoring.metrics.native import loops
from scoring.metrics.psnr import psnr_of
from scoring.metrics.ssim import CROP_PX, K1, K2, SIGMA_PX, TAPS, unbiasing, window
from scoring.metrics.tile import MAX_CHANNELS, MAX_TAPS, SCRATCH_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

MIN_SIDE_PX = 6
MAX_EXCESS = 64
# By how much float32 may change the SSIM of an image, as proven; a quarter is left of the 1e-6 that scores are good to.
MAX_ERROR = 7.5e-7
_CACHE_LINE_BYTES = 64


class Measured(NamedTuple):
    """A metric of a pair, its number of tiles, how many of them in float32, and a bound of the error of these."""

    value: float
    tiles: int = 0
    float32_tiles: int = 0
    bound: float = 0.0


def measure(
    metric: str, reference: NDArray[Any], submission: NDArray[Any], *, data_range: float, **parameters: Any
) -> Measured | None:
    """Return a metric of a pair of images, or None where it needs the general way; safe to call from several threads.

    Parameters
    ----------
    metric
        A key of ``METRICS``; all but ``psnr`` and ``ssim`` need the general way.
    reference, submission
        H×W×C of uint8 or uint16. The general way is needed for any other type, sides under 6 or not above twice the
        crop, more than 4 channels, and values above ``MAX_EXCESS`` times the data range.
    data_range
        The level that counts as 1.0; positive.
    parameters
        As for the metric, with at most 13 taps.
    """
    if metric not in _MEASURES or not _is_plain(reference, submission, data_range):
        return None
    x, y = (np.ascontiguousarray(image, dtype=np.uint16) for image in (reference, submission))
    return _MEASURES[metric](x, y, data_range, **parameters)


def _is_plain(reference: NDArray[Any], submission: NDArray[Any], data_range: float) -> bool:
    return (
        {reference.dtype.name, submission.dtype.name} <= {"uint8", "uint16"}
        and reference.shape == submission.shape
        and reference.ndim == 3
        and min(reference.shape[:2]) >= MIN_SIDE_PX
        and 1 <= reference.shape[2] <= MAX_CHANNELS
        and all(_is_within(image, MAX_EXCESS * data_range) for image in (reference, submission))
        and data_range < math.inf
    )


def _is_within(image: NDArray[Any], limit: float) -> bool:
    # For many protocols the type alone tells.
    return np.iinfo(image.dtype).max <= limit or int(image.max()) <= limit


def _psnr(x: NDArray[np.uint16], y: NDArray[np.uint16], data_range: float) -> Measured:
    return Measured(psnr_of(loops().squared_error(x.ctypes.data, y.ctypes.data, x.size), x.size, data_range))


def _ssim(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    data_range: float,
    *,
    taps: int = TAPS,
    sigma: float = SIGMA_PX,
    crop_px: int = CROP_PX,
    sample_covariance: bool = False,
) -> Measured | None:
    height, width, channels = x.shape
    if taps > MAX_TAPS or min(height, width) <= 2 * crop_px:
        return None
    # The bound holds for values up to the data range, of 1 at least; a negative one has all of it done in float64.
    bounded = data_range >= 1 and _is_within(x, data_range) and _is_within(y, data_range)
    max_error = MAX_ERROR if bounded else -1.0
    numbers = _numbers(taps, sigma, data_range, sample_covariance)
    float32_tiles = loops().similarity(
        x.ctypes.data,
        y.ctypes.data,
        height,
        width,
        channels,
        crop_px,
        max_error,
        numbers.ctypes.data,
        *_scratch.addresses,
    )
    value, bound, tiles = _scratch.result.tolist()
    return Measured(value, int(tiles), float32_tiles, bound)


@lru_cache(maxsize=64)
def _numbers(taps: int, sigma: float, data_range: float, sample_covariance: bool) -> NDArray[np.float64]:
    """Return half the window, the factor of the variances, and twice the two constants."""
    # A narrower window is one of 13 taps whose outer ones are 0.
    half = np.zeros(MAX_TAPS // 2 + 1)
    half[-(taps // 2) - 1 :] = window(taps, sigma)[: taps // 2 + 1]
    unbias = unbiasing(taps, sample_covariance=sample_covariance)
    return np.array([*half, unbias, 2 * (K1 * data_range) ** 2, 2 * (K2 * data_range) ** 2])


_MEASURES: Mapping[str, Callable[..., Measured | None]] = MappingProxyType({"psnr": _psnr, "ssim": _ssim})


class _Scratch(threading.local):
    """The working memory of a thread's loops, and their result; kept from one call to the next."""

    def __init__(self) -> None:
        self.single, self.double, self.result = _aligned(np.float32), _aligned(np.float64), np.zeros(3)
        self.addresses = [array.ctypes.data for array in (self.single, self.double, self.result)]


def _aligned(kind: type[np.floating[Any]]) -> NDArray[Any]:
    """Return zeros at the start of a line of the processor's cache; elsewhere a filter takes half as long again."""
    padded = np.zeros(SCRATCH_VALUES + _CACHE_LINE_BYTES, kind)
    skipped = -padded.ctypes.data % _CACHE_LINE_BYTES // padded.itemsize
    return padded[skipped : skipped + SCRATCH_VALUES]


_scratch = _Scratch()
