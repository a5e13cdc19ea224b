"""PSNR and SSIM of a pair in loops over small tiles; :mod:`scoring.metrics.native` compiles them.

With ``s = x + y`` and ``d = x − y`` the similarity of a pixel is::

    (1 − λ)(1 − ρ),   λ = 2·D² / (S² + D² + 2·C1),   ρ = 2·(P − D²) / ((Q − S²) + (P − D²) + 2·C2)

where S, D, Q and P are s, d, s² and d² under the window. These four maps of a tile are filtered down its columns, four
rows at a time, then along these rows, where the similarity is summed at once: nothing of an image's size is stored.

A tile is worked on in float32, where twice as many values fit into a register, or in float64. To lose less by rounding,
``s`` has its mean over the tile's middle row subtracted, for each channel; neither Q − S² nor D and P notice.

A bound of float32's error is summed beside the similarity
-----------------------------------------------------------
Let ``u = 2⁻²⁴``, ``dr`` the data range, and no pixel above it. Whole numbers up to 2²⁴ are exact, so s and d are; a
square is off by ``u`` of itself. In either direction a value goes through at most 9 roundings: of the weight, of the
sum of two neighbours, of the product, and of six sums. (The filters are compiled without leave to reorder.) Hence

    |ΔQ| ≤ g·Q,  |ΔP| ≤ g·P,  |ΔS| ≤ g·F|s|,  |ΔD| ≤ g·F|d|     with F|·|² ≤ Q or P, and g = 20·u ≥ (1 + u)¹⁹ − 1

and with ``2·|S|·F|s| ≤ S² + Q``, for the two parts of ρ, A = (Q − S²) + 2·C2 and b = P − D²:

    |ΔA| ≤ g·(2·Q + S²) = α,   |Δb| ≤ g·(2·P + D²) = β     (g covers the rounding of the squares S² and D², too)

Since ``ρ = 2·b / (A + b)``, its error is *exactly* ``2·(A'·Δb − b'·ΔA) / ((A + b)(A' + b'))``, a prime marking
computed values. As s² ≤ 4·dr² and d² ≤ dr², α + β ≤ 15·g·dr² is below a fiftieth of 2·C2 ≤ A + b, so A + b is at
least 15/16 of A' + b'. The few roundings of the formula itself (at most 16, of ρ's own size) come on top:

    |Δρ| ≤ 16/15 · 2·(A'·β + |b'|·α) / (A' + b')²  +  16·u·|ρ'|

λ has the same form, with L = (S + mean)² + 2·C1 and D² in the places of A and b; its own α and β are g·(2·L + Q) and
g·(D² + P), below a sixteenth of the denominator again. Both bounds are computed a little more simply and larger, with
2.2 for 2·16/15 and 1 for A'/(A' + b') and L/(L + D²). The product of 1 − λ and 1 − ρ, which lie between −1 and 1, is
off by at most |Δρ| + |Δλ| + |Δρ|·|Δλ|; its own roundings are among the 16 above. One less the similarity is summed in
float64, whose error is nothing beside it.

Indices are unsigned: one that cannot be negative needs no check, and only then are the loops vectorised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from scoring.metrics.filters import fastmath, filter_along, filter_down, filter_four_along, strict
from scoring.metrics.tile import (
    ALONG,
    FILTERED,
    LEVELS,
    LINE,
    MAPS,
    MAX_CHANNELS,
    RADIUS,
    ROWS_AT_ONCE,
    SOURCE_STRIDE,
    STRIDE,
    TILE_COLUMNS,
    TILE_ROWS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

UNIT_ROUNDOFF = 2.0**-24


def squared_error(x: NDArray[np.uint16], y: NDArray[np.uint16], values: int) -> int:
    """Sum of squared differences of two flat images, exact for up to 2³¹ values."""
    total = np.int64(0)
    for i in range(np.uint64(values)):
        difference = np.int64(np.int32(x[i]) - np.int32(y[i]))
        total += difference * difference
    return int(total)


def similarity(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    height: int,
    width: int,
    channels: int,
    crop: int,
    limit: float,
    numbers: NDArray[np.float64],
    single: NDArray[np.float32],
    double: NDArray[np.float64],
    result: NDArray[np.float64],
) -> int:
    """Return the mean of the SSIM map of two images without ``crop`` pixels on each side, all channels alike.

    Parameters
    ----------
    x, y
        H×W×channels values; H and W above ``2·crop`` and at least ``RADIUS``.
    limit
        The largest error of the mean through float32; below 0 for float64 throughout. Above it, no value may exceed the
        data range.
    numbers
        The window's weights, from its rim to its middle; the factor of the variances; twice C1 and C2.
    single, double
        Working memory: ``SCRATCH_VALUES`` each, of any finite content.
    result
        Becomes the mean, the bound of its error through float32, and the number of tiles.

    Returns
    -------
    int
        How many of the tiles were worked on in float32.
    """
    total = wrong_by = done = expected = 0.0
    in_single = tiles = 0
    size = (height, width, channels)
    for row in range(crop, height - crop, TILE_ROWS):
        rows = min(TILE_ROWS, height - crop - row)
        for column in range(crop, width - crop, TILE_COLUMNS):
            columns = min(TILE_COLUMNS, width - crop - column)
            values = rows * columns * channels
            tiles += 1
            done += values
            place = (row, rows, column, columns)
            # The rest of the limit that earlier tiles left may be used up; `expected` is the last one's share by value.
            if wrong_by + expected * values <= limit * done:
                part, error = _tile(x, y, size, place, numbers, single, np.float32, _sum_with_bound)
                expected = error / values
                if wrong_by + error <= limit * done:
                    total += part
                    wrong_by += error
                    in_single += 1
                    continue
            part, error = _tile(x, y, size, place, numbers, double, np.float64, _sum)
            total += part
    result[0] = total / done
    result[1] = wrong_by / done
    result[2] = tiles
    return in_single


@fastmath
def _tile(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    size: tuple[int, int, int],
    place: tuple[int, int, int, int],
    numbers: NDArray[np.float64],
    scratch: NDArray[Any],
    real: type[Any],
    sum_row: Callable[..., tuple[float, float]],
) -> tuple[float, float]:
    """Return the sum of a tile's similarities, and the bound of its error where ``real`` is float32."""
    height, width, channels = size
    row, rows, column, columns = place
    w = (real(numbers[0]), real(numbers[1]), real(numbers[2]), real(numbers[3]), real(numbers[4]), real(numbers[5]),
         real(numbers[6]))  # fmt: skip
    unbias, c1, c2 = real(numbers[7]), real(numbers[8]), real(numbers[9])
    values = columns * channels
    _find_levels(x, y, (row + rows // 2) * width + column, columns, channels, scratch, real)
    for i in range(rows + 2 * RADIUS):
        at = _reflected(row - RADIUS + i, height) * width
        _fill_row(x, y, at, width, channels, column - RADIUS, columns + 2 * RADIUS, scratch, i * SOURCE_STRIDE, real)
    total = error = 0.0
    for i in range(0, rows, ROWS_AT_ONCE):
        filter_down(scratch, i * SOURCE_STRIDE, w)
        for j in range(min(ROWS_AT_ONCE, rows - i)):
            start = i * SOURCE_STRIDE + FILTERED + j * STRIDE
            if channels == MAX_CHANNELS:
                filter_four_along(scratch, start, columns, w)
            else:
                for k in range(MAPS):
                    filter_along(scratch, start + k * LINE, values, channels, w)
            part, wrong_by = sum_row(scratch, start + ALONG - FILTERED, values, unbias, c1, c2, real)
            total += part
            error += wrong_by
    return total, error


@fastmath
def _reflected(at: int, size: int) -> int:
    """Return the place of a pixel beyond the border when the image is mirrored there, border pixel included."""
    if at < 0:
        return -1 - at
    return at if at < size else 2 * size - 1 - at


@fastmath
def _find_levels(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    start: int,
    columns: int,
    channels: int,
    scratch: NDArray[Any],
    real: type[Any],
) -> None:
    """Find each channel's mean of ``x + y`` in the tile's middle row, as a whole number; repeat it for all columns."""
    for channel in range(channels):
        total = np.int64(0)
        for i in range(columns):
            at = start * channels + i * channels + channel
            total += np.int64(x[at]) + np.int64(y[at])
        for i in range(LINE // channels):
            scratch[LEVELS + i * channels + channel] = real(total // columns)


@fastmath
def _fill_row(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    row_start: int,
    width: int,
    channels: int,
    column: int,
    columns: int,
    scratch: NDArray[Any],
    target: int,
    real: type[Any],
) -> None:
    """Fill one row of s and d, from a column on that may lie beyond the border."""
    before = max(0, -column)
    inside = min(columns, width - column) - before
    _fill(x, y, (row_start + column + before) * channels, inside * channels, scratch, target, before * channels, real)
    for i in range(columns - inside):
        at = i if i < before else inside + i
        mirrored = row_start + _reflected(column + at, width)
        _fill(x, y, mirrored * channels, channels, scratch, target, at * channels, real)


@fastmath
def _fill(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    start: int,
    values: int,
    scratch: NDArray[Any],
    target: int,
    at: int,
    real: type[Any],
) -> None:
    for i in range(np.uint64(values)):
        j, k = i + np.uint64(start), i + np.uint64(target + at)
        a, b = real(x[j]), real(y[j])
        s, d = a + b - scratch[i + np.uint64(LEVELS + at)], a - b
        scratch[k] = s
        scratch[k + np.uint64(LINE)] = d


@fastmath
def _sum_with_bound(
    scratch: NDArray[Any], start: int, values: int, unbias: Any, c1: Any, c2: Any, real: Any
) -> tuple[float, float]:
    """Return the similarities of a filtered row, and the bound of their sum's error."""
    g, own = 2.2 * 20 * UNIT_ROUNDOFF, 2 * 16 * UNIT_ROUNDOFF
    _similarity_loss(
        scratch, start, values, unbias, c1, c2, real(unbias * g), real(g), real(own), real(own + 2 * g), real(1)
    )
    lost = error = 0.0
    for i in range(np.uint64(values)):
        k = i + np.uint64(start)
        lost += np.float64(scratch[k])
        error += np.float64(scratch[k + np.uint64(LINE)])
    return values - lost, error


@strict
def _similarity_loss(
    scratch: NDArray[Any], start: int, values: int, unbias: Any, c1: Any, c2: Any,
    g_rho: Any, g_lam: Any, own_rho: Any, own_lam: Any, one: Any,
) -> None:  # fmt: skip
    """Replace S by 1 − similarity, and D by a bound of its error."""
    for i in range(np.uint64(values)):
        k, line = i + np.uint64(start), np.uint64(LINE)
        s, d, q, p = scratch[k], scratch[k + line], scratch[k + line + line], scratch[k + line + line + line]
        level = s + scratch[i + np.uint64(LEVELS)]
        ss, dd, light = s * s, d * d, level * level + c1
        a, b = unbias * (q - ss) + c2, unbias * (p - dd)
        # One division for both.
        both = one / ((a + b) * (light + dd))
        inverse, inverse_light = both * (light + dd), both * (a + b)
        rho, lam = (b + b) * inverse, (dd + dd) * inverse_light
        half_rho, half_lam = abs(b) * inverse, dd * inverse_light
        wrong_rho = g_rho * inverse * (p + p + dd + half_rho * (q + q + ss)) + own_rho * half_rho
        wrong_lam = g_lam * inverse_light * (p + dd + half_lam * q) + own_lam * half_lam
        scratch[k] = rho + lam - rho * lam
        scratch[k + line] = wrong_rho + wrong_lam + wrong_rho * wrong_lam


@fastmath
def _sum(
    scratch: NDArray[Any], start: int, values: int, unbias: Any, c1: Any, c2: Any, real: Any
) -> tuple[float, float]:
    """Return the similarities of a filtered row."""
    total = 0.0
    for i in range(np.uint64(values)):
        k, line = i + np.uint64(start), np.uint64(LINE)
        s, d, q, p = scratch[k], scratch[k + line], scratch[k + line + line], scratch[k + line + line + line]
        level = s + scratch[i + np.uint64(LEVELS)]
        dd, light = d * d, level * level + c1
        a, b = unbias * (q - s * s) + c2, unbias * (p - dd)
        total += ((light - dd) * (a - b)) / ((light + dd) * (a + b))
    return total, 0.0


_PIXELS = types.CPointer(types.uint16)  # type: ignore[no-untyped-call]
_SINGLE = types.CPointer(types.float32)  # type: ignore[no-untyped-call]
_DOUBLE = types.CPointer(types.float64)  # type: ignore[no-untyped-call]
# The entries, as they are called from outside: with addresses.
SIGNATURES = {
    "squared_error": types.int64(_PIXELS, _PIXELS, types.int64),
    "similarity": types.int64(_PIXELS, _PIXELS, *[types.int64] * 4, types.float64, _DOUBLE, _SINGLE, _DOUBLE, _DOUBLE),
}
