"""PSNR and SSIM of a pair in compiled loops (docs/benchmarks.md says how fast), as exact as one after the other.

The arithmetic is that of :mod:`scoring.metrics.psnr` and :mod:`scoring.metrics.ssim`, in float64 too; only its order
differs. Of values up to ``p`` a filtered product has a rounding error of at most ``γ·p²``, where ``γ = 32·2⁻⁵³`` covers
the multiplication, two filters of 13 taps and the subtraction of the means; the denominator's second factor is at least
``(K2·data_range)²``. So a pixel's similarity is off by less than ``6·γ·p² / (K2·data_range)²``: 2.4e-11 for images
within the data range, 1e-7 for values of ``MAX_EXCESS`` times the data range, and larger ones are not scored here.
"""

from __future__ import annotations

import importlib
import math
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.metrics.psnr import psnr_of
from scoring.metrics.ssim import CROP_PX, K1, K2, SIGMA_PX, TAPS, unbiasing, window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from numpy.typing import NDArray

MAX_TAPS = 13
MAX_CHANNELS = 4
MIN_SIDE_PX = 6
MAX_EXCESS = 64
_CACHE_LINE_BYTES = 64


def measure(
    metric: str, reference: NDArray[Any], submission: NDArray[Any], *, data_range: float, **parameters: Any
) -> float | None:
    """A metric of a pair of images, or None where it needs the general way; safe to call from several threads.

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
    # For most protocols the type alone tells.
    return np.iinfo(image.dtype).max <= limit or int(image.max()) <= limit


def _psnr(x: NDArray[np.uint16], y: NDArray[np.uint16], data_range: float) -> float:
    return psnr_of(int(_kernel().squared_error(x.ravel(), y.ravel())), x.size, data_range)


def _ssim(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    data_range: float,
    *,
    taps: int = TAPS,
    sigma: float = SIGMA_PX,
    crop_px: int = CROP_PX,
    sample_covariance: bool = False,
) -> float | None:
    height, width, channels = x.shape
    if taps > MAX_TAPS or min(height, width) <= 2 * crop_px:
        return None
    # A narrower window is one of 13 taps whose outer ones are 0.
    half = np.zeros(MAX_TAPS // 2 + 1)
    half[-(taps // 2) - 1 :] = window(taps, sigma)[: taps // 2 + 1]
    value = _kernel().similarity(
        x.reshape(height, width * channels),
        y.reshape(height, width * channels),
        channels,
        crop_px,
        tuple(half.tolist()),
        unbiasing(taps, sample_covariance=sample_covariance),
        (K1 * data_range) ** 2,
        (K2 * data_range) ** 2,
        *_room_of_this_thread(),
    )
    return float(value)


_MEASURES: Mapping[str, Callable[..., float | None]] = MappingProxyType({"psnr": _psnr, "ssim": _ssim})


def _kernel() -> ModuleType:
    # The compiler takes a quarter of a second to import, and most commands score nothing.
    return importlib.import_module("scoring.metrics.kernel")


_room = threading.local()


def _room_of_this_thread() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the loops work in, kept from one call to the next: half a megabyte."""
    if not hasattr(_room, "maps"):
        kernel = _kernel()
        _room.maps = (_aligned(kernel.MAPS, kernel.SOURCE_VALUES), _aligned(kernel.MAPS, kernel.FILTERED_VALUES))
    maps: tuple[NDArray[np.float64], NDArray[np.float64]] = _room.maps
    return maps


def _aligned(rows: int, columns: int) -> NDArray[np.float64]:
    """Zeros that begin where a line of the processor's cache does; elsewhere a filter takes half as long again."""
    flat = np.zeros(rows * columns + _CACHE_LINE_BYTES // 8)
    skipped = -flat.ctypes.data % _CACHE_LINE_BYTES // 8
    return flat[skipped : skipped + rows * columns].reshape(rows, columns)
