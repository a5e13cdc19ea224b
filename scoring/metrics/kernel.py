"""PSNR and SSIM of a pair in loops over small tiles; :mod:`scoring.metrics.native` compiles them.

With ``s = x + y`` and ``d = x − y`` the similarity of a pixel is::

    (1 − λ)(1 − ρ),   λ = 2·D² / (S² + D² + 2·C1),   ρ = 2·(P − D²) / ((Q − S²) + (P − D²) + 2·C2)

where S, D, Q and P are s, d, s² and d² under the window. These four maps of a tile are filtered down its columns, four
rows at a time, then along these rows, where the similarity is summed at once: nothing of an image's size is stored.

A tile is worked on in float32, where twice as many values fit into a register, or in float64. To lose less by rounding,
``s`` has its mean over the tile's middle row subtracted, for each channel; neither Q − S² nor D and P notice.

What float32 can be wrong by is summed beside the similarity
------------------------------------------------------------
Let ``u = 2⁻²⁴``, ``dr`` the data range, and no pixel above it. Whole numbers up to 2²⁴ are exact, so s and d are; a
square is off by ``u`` of itself. In either direction a value goes through at most 9 roundings: of the weight, of the
sum of two neighbours, of the product, and of six sums. (The filters are compiled without leave to reorder.) Hence

    |ΔQ| ≤ g·Q,  |ΔP| ≤ g·P,  |ΔS| ≤ g·F|s|,  |ΔD| ≤ g·F|d|     with F|·|² ≤ Q or P, and g = 20·u ≥ (1 + u)¹⁹ − 1

and with ``2·|S|·F|s| ≤ S² + Q``, for the two parts of ρ, A = (Q − S²) + 2·C2 and b = P − D²:

    |ΔA| ≤ g·(2·Q + S²) = α,   |Δb| ≤ g·(2·P + D²) = β     (g covers the rounding of the squares S² and D², too)

Since ``ρ = 2·b / (A + b)``, its error is *exactly* ``2·(A'·Δb − b'·ΔA) / ((A + b)(A' + b'))``, a prime marking what was
computed. As s² ≤ 4·dr² and d² ≤ dr², α + β ≤ 15·g·dr² is below a hundredth of 2·C2 ≤ A + b, so A + b is at least 15/16
of A' + b'. The few roundings of the formula itself (less than 10, of ρ's own size) come on top:

    |Δρ| ≤ 16/15 · 2·(A'·β + |b'|·α) / (A' + b')²  +  10·u·|ρ'|

λ has the same form, with S' = S + mean² and D² in the places of A and b; its own α and β are ``g·(2·S² + Q)`` and
``g·(D² + P)``, below a sixteenth of the denominator again. The product of the two is off by at most |Δρ| + |Δλ| +
|Δρ|·|Δλ|, as 1 − ρ and 1 − λ lie between −1 and 1. It is taken and summed in float64, whose own error is nothing beside it.

Indices are unsigned: one that cannot be negative needs no check, and only then are the loops vectorised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np
from numba import types

from scoring.metrics.tile import (
    FILTERED,
    LEVELS,
    LINE,
    MAX_CHANNELS,
    RADIUS,
    ROWS_AT_ONCE,
    STRIDE,
    TILE_COLUMNS,
    TILE_ROWS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

UNIT_ROUNDOFF = 2.0**-24

_Function = TypeVar("_Function", bound="Callable[..., Any]")
Weights = tuple[Any, Any, Any, Any, Any, Any, Any]


def compiled(**flags: Any) -> Callable[[_Function], _Function]:
    """Loops that are compiled as part of an entry, with these flags."""

    def decorate(function: _Function) -> _Function:
        return cast("_Function", numba.njit(function, nogil=True, error_model="numpy", **flags))

    return decorate


quick = compiled(fastmath=True)
# As written but for fused operations, which round less: the bound counts on the order.
ordered = compiled(fastmath={"contract", "nnan", "ninf", "nsz"})


def squared_error(x: NDArray[np.uint16], y: NDArray[np.uint16], values: int) -> int:
    """Sum of squared differences of two flat images, exact for up to 2³¹ values."""
    total = np.int64(0)
    for i in range(np.uint64(values)):
        difference = np.int64(np.int32(x[i]) - np.int32(y[i]))
        total += difference * difference
    return total


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
    """Mean of the SSIM map of two images without ``crop`` pixels on each side, all channels alike.

    Parameters
    ----------
    x, y
        H×W×channels values; H and W above ``2·crop`` and at least ``RADIUS``.
    limit
        What the mean may be wrong by through float32; below 0 for float64 throughout. Above it, no value may exceed the
        data range.
    numbers
        The window's weights, from its rim to its middle; what variances are multiplied by; twice C1 and C2.
    single, double
        Room to work in: ``ROOM_VALUES`` each, of whatever finite content.
    result
        Becomes the mean, what it can be wrong by through float32, and how many tiles there are.

    Returns
    -------
    int
        How many of the tiles were worked on in float32.
    """
    total = wrong_by = done = expected = 0.0
    in_single = tiles = 0
    for row in range(crop, height - crop, TILE_ROWS):
        rows = min(TILE_ROWS, height - crop - row)
        for column in range(crop, width - crop, TILE_COLUMNS):
            columns = min(TILE_COLUMNS, width - crop - column)
            values = rows * columns * channels
            tiles += 1
            done += values
            # What earlier tiles left of the limit may be used up; `expected` is what the last one took by value.
            if wrong_by + expected * values <= limit * done:
                part, error = _tile(x, y, height, width, channels, row, rows, column, columns, numbers, single, np.float32, _sum_with_bound)
                expected = error / values
                if wrong_by + error <= limit * done:
                    total += part
                    wrong_by += error
                    in_single += 1
                    continue
            part, error = _tile(x, y, height, width, channels, row, rows, column, columns, numbers, double, np.float64, _sum)
            total += part
    result[0] = total / done
    result[1] = wrong_by / done
    result[2] = tiles
    return in_single


@quick
def _tile(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    height: int,
    width: int,
    channels: int,
    row: int,
    rows: int,
    column: int,
    columns: int,
    numbers: NDArray[np.float64],
    room: NDArray[Any],
    real: type[Any],
    sum_line: Callable[..., tuple[float, float]],
) -> tuple[float, float]:
    """The sum of a tile's similarities, and what it can be wrong by where ``real`` is float32."""
    w = (real(numbers[0]), real(numbers[1]), real(numbers[2]), real(numbers[3]), real(numbers[4]), real(numbers[5]),
         real(numbers[6]))  # fmt: skip
    unbias, c1, c2 = real(numbers[7]), real(numbers[8]), real(numbers[9])
    values = columns * channels
    _find_levels(x, y, (row + rows // 2) * width + column, columns, channels, room, real)
    for i in range(rows + 2 * RADIUS):
        at = _reflected(row - RADIUS + i, height) * width
        _fill_row(x, y, at, width, channels, column - RADIUS, columns + 2 * RADIUS, room, i * STRIDE, real)
    total = error = 0.0
    for i in range(0, rows, ROWS_AT_ONCE):
        _filter_down(room, i * STRIDE, w)
        for j in range(min(ROWS_AT_ONCE, rows - i)):
            if channels == MAX_CHANNELS:
                # The same once more: a step that is a constant takes half the time.
                part, wrong_by = sum_line(room, FILTERED + j * STRIDE, values, MAX_CHANNELS, w, unbias, c1, c2, real)
            else:
                part, wrong_by = sum_line(room, FILTERED + j * STRIDE, values, channels, w, unbias, c1, c2, real)
            total += part
            error += wrong_by
    return total, error


@quick
def _reflected(at: int, size: int) -> int:
    """Where a place beyond the border is found when the image is mirrored there, border pixel included."""
    if at < 0:
        return -1 - at
    return at if at < size else 2 * size - 1 - at


@quick
def _find_levels(
    x: NDArray[np.uint16], y: NDArray[np.uint16], start: int, columns: int, channels: int, room: NDArray[Any], real: type[Any]
) -> None:
    """Mean of ``x + y`` in the tile's middle row, for each channel, as a whole number; repeated for all columns."""
    for channel in range(channels):
        total = np.int64(0)
        for i in range(columns):
            at = start * channels + i * channels + channel
            total += np.int64(x[at]) + np.int64(y[at])
        for i in range(LINE // channels):
            room[LEVELS + i * channels + channel] = real(total // columns)


@quick
def _fill_row(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    row_start: int,
    width: int,
    channels: int,
    column: int,
    columns: int,
    room: NDArray[Any],
    target: int,
    real: type[Any],
) -> None:
    """One row of the four maps, from a column on that may lie beyond the border."""
    before = max(0, -column)
    inside = min(columns, width - column) - before
    _fill(x, y, (row_start + column + before) * channels, inside * channels, room, target, before * channels, real)
    for i in range(columns - inside):
        at = i if i < before else inside + i
        mirrored = row_start + _reflected(column + at, width)
        _fill(x, y, mirrored * channels, channels, room, target, at * channels, real)


@quick
def _fill(
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    start: int,
    values: int,
    room: NDArray[Any],
    target: int,
    at: int,
    real: type[Any],
) -> None:
    for i in range(np.uint64(values)):
        j, k = i + np.uint64(start), i + np.uint64(target + at)
        a, b = real(x[j]), real(y[j])
        s, d = a + b - room[i + np.uint64(LEVELS + at)], a - b
        room[k] = s
        room[k + np.uint64(LINE)] = d
        room[k + np.uint64(2 * LINE)] = s * s
        room[k + np.uint64(3 * LINE)] = d * d


@ordered
def _filter_down(room: NDArray[Any], source: int, weights: Weights) -> None:
    """Four rows of all maps, from the sixteen around them."""
    s, t = room, np.uint64(STRIDE)
    for i in range(np.uint64(STRIDE)):
        # Sixteen values are loaded once for four sums: loading is what takes the time.
        r0, f0 = i + np.uint64(source), i + np.uint64(FILTERED)
        r1, r2, r4 = r0 + t, r0 + t + t, r0 + t + t + t + t
        r3, r8 = r2 + t, r4 + r4 - r0
        r12 = r8 + r4 - r0
        a0, a1, a2, a3 = s[r0], s[r1], s[r2], s[r3]
        a4, a5, a6, a7 = s[r4], s[r4 + t], s[r4 + t + t], s[r4 + t + t + t]
        a8, a9, a10, a11 = s[r8], s[r8 + t], s[r8 + t + t], s[r8 + t + t + t]
        a12, a13, a14, a15 = s[r12], s[r12 + t], s[r12 + t + t], s[r12 + t + t + t]
        room[f0] = _weighted(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, weights)
        room[f0 + t] = _weighted(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, weights)
        room[f0 + t + t] = _weighted(a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, weights)
        room[f0 + t + t + t] = _weighted(a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, weights)


@ordered
def _along(room: NDArray[Any], i: Any, step: Any, weights: Weights) -> Any:
    """Thirteen pixels of a filtered row of one map, from value ``i`` on."""
    two = step + step
    three, four = two + step, two + two
    j = i + four + four
    return _weighted(
        room[i], room[i + step], room[i + two], room[i + three],
        room[i + four], room[i + four + step], room[i + four + two], room[i + four + three],
        room[j], room[j + step], room[j + two], room[j + three], room[j + four],
        weights,
    )  # fmt: skip


@ordered
def _weighted(
    a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, middle: Any,
    g: Any, h: Any, i: Any, j: Any, k: Any, m: Any, weights: Weights,
) -> Any:  # fmt: skip
    """Thirteen neighbours, weighted alike on both sides of the middle."""
    w0, w1, w2, w3, w4, w5, w6 = weights
    return w0 * (a + m) + w1 * (b + k) + w2 * (c + j) + w3 * (d + i) + w4 * (e + h) + w5 * (f + g) + w6 * middle


# Without leave to replace a division by an estimate.
@compiled(fastmath={"reassoc", "contract", "nnan", "ninf", "nsz"})
def _sum_with_bound(
    room: NDArray[Any], start: int, values: int, channels: int, weights: Weights, unbias: Any, c1: Any, c2: Any, real: type[Any]
) -> tuple[float, float]:
    """The similarities of a filtered row, and what their sum can be wrong by."""
    g, own, margin = real(20 * UNIT_ROUNDOFF), real(10 * UNIT_ROUNDOFF), real(2.2)
    total = error = 0.0
    step = np.uint64(channels)
    for i in range(np.uint64(values)):
        k, line = i + np.uint64(start), np.uint64(LINE)
        s, d = _along(room, k, step, weights), _along(room, k + line, step, weights)
        q, p = _along(room, k + line + line, step, weights), _along(room, k + line + line + line, step, weights)
        level = s + room[i + np.uint64(LEVELS)]
        ss, dd, light = s * s, d * d, level * level
        a, b = unbias * (q - ss) + c2, unbias * (p - dd)
        whole, sum_of_squares = a + b, light + c1 + dd
        inverse, inverse_light = real(1) / whole, real(1) / sum_of_squares
        rho, lam = (b + b) * inverse, (dd + dd) * inverse_light
        of_rho = unbias * g * (a * (p + p + dd) + abs(b) * (q + q + ss)) * inverse * inverse
        of_lam = g * ((light + c1) * (dd + p) + dd * (light + light + q)) * inverse_light * inverse_light
        wrong_rho = margin * of_rho + own * abs(rho)
        wrong_lam = margin * of_lam + own * lam
        total += (np.float64(1) - np.float64(rho)) * (np.float64(1) - np.float64(lam))
        error += np.float64(wrong_rho + wrong_lam + wrong_rho * wrong_lam)
    return total, error


@quick
def _sum(
    room: NDArray[Any], start: int, values: int, channels: int, weights: Weights, unbias: Any, c1: Any, c2: Any, real: type[Any]
) -> tuple[float, float]:
    """The similarities of a filtered row."""
    total = 0.0
    step = np.uint64(channels)
    for i in range(np.uint64(values)):
        k, line = i + np.uint64(start), np.uint64(LINE)
        s, d = _along(room, k, step, weights), _along(room, k + line, step, weights)
        q, p = _along(room, k + line + line, step, weights), _along(room, k + line + line + line, step, weights)
        level = s + room[i + np.uint64(LEVELS)]
        dd, light = d * d, level * level + c1
        a, b = unbias * (q - s * s) + c2, unbias * (p - dd)
        total += ((light - dd) * (a - b)) / ((light + dd) * (a + b))
    return total, 0.0


_PIXELS = types.CPointer(types.uint16)
_DOUBLES = types.CPointer(types.float64)
# The entries, as they are called from outside: with addresses.
SIGNATURES = {
    "squared_error": types.int64(_PIXELS, _PIXELS, types.int64),
    "similarity": types.int64(
        _PIXELS, _PIXELS, *[types.int64] * 4, types.float64, _DOUBLES, types.CPointer(types.float32), _DOUBLES, _DOUBLES
    ),
}
