"""PSNR and SSIM of a pair in compiled loops over small tiles, in float64.

A tile's four maps (x, y, x² + y² and xy) are filtered down its columns, four rows at a time, then along these rows,
where the similarity is summed at once: nothing of an image's size is ever stored. No other filters are needed:
``var(x) + var(y)`` and ``cov(x, y)`` follow from these four.

Pixels lie as in the file, channels interleaved: the next pixel of a row is ``channels`` values away.

Indices into the maps are unsigned: one that cannot be negative needs no check, and only then are the loops vectorised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MAX_TAPS = 13
RADIUS = MAX_TAPS // 2
MAX_CHANNELS = 4
MAPS = 4
# Rows of a tile, and values from one to the next: constants, so that the compiler knows how far neighbours are apart.
# Half a megabyte in all, for the cache's second level; not a power of two, which would put all rows of a column in one
# place of it.
TILE_ROWS = 16
STRIDE = 560
ROWS_AT_ONCE = 4
SOURCE_VALUES = (TILE_ROWS + 2 * RADIUS) * STRIDE
FILTERED_VALUES = ROWS_AT_ONCE * STRIDE

_Function = TypeVar("_Function", bound="Callable[..., Any]")
Weights = tuple[float, float, float, float, float, float, float]


def compiled(function: _Function) -> _Function:
    """Compile for this machine when first called, and keep the result on disk where there is a place for it."""
    try:
        loops = numba.njit(function, nogil=True, fastmath=True, error_model="numpy", cache=True)
    except RuntimeError:  # neither the package's folder nor the user's can be written to
        loops = numba.njit(function, nogil=True, fastmath=True, error_model="numpy")
    return cast("_Function", loops)


@compiled
def squared_error(x: NDArray[np.uint16], y: NDArray[np.uint16]) -> np.int64:
    """Sum of squared differences of two flat images, exact for up to 2³¹ values."""
    total = np.int64(0)
    for i in range(x.size):
        difference = np.int64(np.int32(x[i]) - np.int32(y[i]))
        total += difference * difference
    return total


@compiled
def similarity(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    channels: int,
    crop: int,
    weights: Weights,
    unbias: float,
    c1: float,
    c2: float,
    source: NDArray[np.float64],
    filtered: NDArray[np.float64],
) -> float:
    """Mean of the SSIM map of two images without ``crop`` pixels on each side, all channels alike.

    Parameters
    ----------
    x, y
        H rows of W·channels values each; H and W above ``2·crop`` and at least ``RADIUS``.
    weights
        The window's, from its rim to its middle.
    unbias
        What variances and covariance are multiplied by.
    source, filtered
        Room to work in: ``MAPS`` × ``SOURCE_VALUES`` and ``MAPS`` × ``FILTERED_VALUES``, of whatever finite content.
    """
    height, width = x.shape
    halo = RADIUS * channels
    first, end = crop * channels, width - crop * channels
    most = STRIDE - 2 * halo
    total = 0.0
    for row in range(crop, height - crop, TILE_ROWS):
        rows = min(TILE_ROWS, height - crop - row)
        for column in range(first, end, most):
            values = min(most, end - column)
            for i in range(rows + 2 * RADIUS):
                at = _reflected(row - RADIUS + i, height)
                _fill_row(x[at], y[at], channels, column - halo, values + 2 * halo, source, i * STRIDE)
            for i in range(0, rows, ROWS_AT_ONCE):
                for k in range(MAPS):
                    _filter_down(source[k], i * STRIDE, values + 2 * halo, weights, filtered[k])
                for j in range(min(ROWS_AT_ONCE, rows - i)):
                    total += _sum_along(filtered, j * STRIDE, values, channels, weights, unbias, c1, c2)
    return float(total / ((height - 2 * crop) * (end - first)))


@compiled
def _reflected(at: int, size: int) -> int:
    """Where a place beyond the border is found when the image is mirrored there, border pixel included."""
    if at < 0:
        return -1 - at
    return at if at < size else 2 * size - 1 - at


@compiled
def _fill_row(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    channels: int,
    start: int,
    values: int,
    source: NDArray[np.float64],
    target: int,
) -> None:
    """One row of the four maps, from the image's value ``start`` on, which may lie beyond the border."""
    before = max(0, -start)
    inside = min(values, x.size - start) - before
    _fill(x, y, start + before, inside, source, target + before)
    for i in range(values - inside):
        at = i if i < before else inside + i
        pixel, channel = divmod(start + at, channels)
        mirrored = _reflected(pixel, x.size // channels) * channels + channel
        _fill(x, y, mirrored, 1, source, target + at)


@compiled
def _fill(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    start: int,
    values: int,
    source: NDArray[np.float64],
    target: int,
) -> None:
    map_x, map_y, squares, products = source[0], source[1], source[2], source[3]
    for i in range(np.uint64(values)):
        j, k = i + np.uint64(start), i + np.uint64(target)
        a, b = np.float64(x[j]), np.float64(y[j])
        map_x[k] = a
        map_y[k] = b
        squares[k] = a * a + b * b
        products[k] = a * b


@compiled
def _filter_down(
    source: NDArray[np.float64], start: int, values: int, weights: Weights, filtered: NDArray[np.float64]
) -> None:
    """Four rows of one map, from the sixteen around them."""
    s, t = source, np.uint64(STRIDE)
    for i in range(np.uint64(values)):
        # Sixteen values are loaded once for four sums: loading is what takes the time.
        r0 = i + np.uint64(start)
        r1, r2, r4 = r0 + t, r0 + t + t, r0 + t + t + t + t
        r3, r8 = r2 + t, r4 + r4 - r0
        r12 = r8 + r4 - r0
        a0, a1, a2, a3 = s[r0], s[r1], s[r2], s[r3]
        a4, a5, a6, a7 = s[r4], s[r4 + t], s[r4 + t + t], s[r4 + t + t + t]
        a8, a9, a10, a11 = s[r8], s[r8 + t], s[r8 + t + t], s[r8 + t + t + t]
        a12, a13, a14, a15 = s[r12], s[r12 + t], s[r12 + t + t], s[r12 + t + t + t]
        filtered[i] = _weighted(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, weights)
        filtered[i + t] = _weighted(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, weights)
        filtered[i + t + t] = _weighted(a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, weights)
        filtered[i + t + t + t] = _weighted(a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, weights)


@compiled
def _sum_along(
    filtered: NDArray[np.float64],
    start: int,
    values: int,
    channels: int,
    weights: Weights,
    unbias: float,
    c1: float,
    c2: float,
) -> float:
    """Filter a row of the four maps, and sum the similarity of its values."""
    map_x, map_y, squares, products = filtered[0], filtered[1], filtered[2], filtered[3]
    step = np.uint64(channels)
    total = 0.0
    for i in range(np.uint64(start), np.uint64(start + values)):
        mean_x = _along(map_x, i, step, weights)
        mean_y = _along(map_y, i, step, weights)
        product = mean_x * mean_y
        energy = mean_x * mean_x + mean_y * mean_y
        covariance = unbias * (_along(products, i, step, weights) - product)
        variances = unbias * (_along(squares, i, step, weights) - energy)
        total += ((2 * product + c1) * (2 * covariance + c2)) / ((energy + c1) * (variances + c2))
    return total


@compiled
def _along(row: NDArray[np.float64], i: Any, step: Any, weights: Weights) -> float:
    """Thirteen pixels of a row, from value ``i`` on."""
    two = step + step
    three, four = two + step, two + two
    j = i + four + four
    return _weighted(
        row[i], row[i + step], row[i + two], row[i + three],
        row[i + four], row[i + four + step], row[i + four + two], row[i + four + three],
        row[j], row[j + step], row[j + two], row[j + three], row[j + four],
        weights,
    )  # fmt: skip


@compiled
def _weighted(
    a: float, b: float, c: float, d: float, e: float, f: float, middle: float,
    g: float, h: float, i: float, j: float, k: float, m: float, weights: Weights,
) -> float:  # fmt: skip
    """Thirteen neighbours, weighted alike on both sides of the middle."""
    w0, w1, w2, w3, w4, w5, w6 = weights
    return w6 * middle + w5 * (f + g) + w4 * (e + h) + w3 * (d + i) + w2 * (c + j) + w1 * (b + k) + w0 * (a + m)
