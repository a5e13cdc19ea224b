"""The filters of :mod:`scoring.metrics.kernel`, and how its loops are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

from scoring.metrics.tile import ALONG, FILTERED, LINE, MAPS, SOURCE_STRIDE, STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_Function = TypeVar("_Function", bound="Callable[..., Any]")
Weights = tuple[Any, Any, Any, Any, Any, Any, Any]


def compiled(**flags: Any) -> Callable[[_Function], _Function]:
    """Compile loops as part of an entry, with these flags."""

    def decorate(function: _Function) -> _Function:
        return cast("_Function", numba.njit(function, nogil=True, error_model="numpy", **flags))

    return decorate


fastmath = compiled(fastmath=True)
# As written but for fused operations, which round less: the bound counts on the order.
strict = compiled(fastmath={"contract", "nnan", "ninf", "nsz"})


@strict
def filter_down(scratch: NDArray[Any], source: int, weights: Weights) -> None:
    """Filter four rows of s and d and of their squares, from the sixteen around them."""
    for i in range(np.uint64(SOURCE_STRIDE)):
        # Sixteen values are loaded once for eight sums: loading takes most of the time.
        s, t, k = scratch, np.uint64(SOURCE_STRIDE), i + np.uint64(source)
        a, b, c, d = s[k], s[k + t], s[k + t + t], s[k + t + t + t]
        k += t + t + t + t
        e, f, g, h = s[k], s[k + t], s[k + t + t], s[k + t + t + t]
        k += t + t + t + t
        m, n, o, p = s[k], s[k + t], s[k + t + t], s[k + t + t + t]
        k += t + t + t + t
        q, r, u, v = s[k], s[k + t], s[k + t + t], s[k + t + t + t]
        k = i + np.uint64(source) + np.uint64(FILTERED)
        _put_four(scratch, k, a, b, c, d, e, f, g, h, m, n, o, p, q, r, u, v, weights)
        _put_four(scratch, k + t, a * a, b * b, c * c, d * d, e * e, f * f, g * g, h * h, m * m, n * n, o * o, p * p,
                  q * q, r * r, u * u, v * v, weights)  # fmt: skip


@strict
def _put_four(
    scratch: NDArray[Any], k: Any,
    a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any,
    m: Any, n: Any, o: Any, p: Any, q: Any, r: Any, u: Any, v: Any, weights: Weights,
) -> None:  # fmt: skip
    t = np.uint64(STRIDE)
    scratch[k] = _weighted(a, b, c, d, e, f, g, h, m, n, o, p, q, weights)
    scratch[k + t] = _weighted(b, c, d, e, f, g, h, m, n, o, p, q, r, weights)
    scratch[k + t + t] = _weighted(c, d, e, f, g, h, m, n, o, p, q, r, u, weights)
    scratch[k + t + t + t] = _weighted(d, e, f, g, h, m, n, o, p, q, r, u, v, weights)


@strict
def filter_four_along(scratch: NDArray[Any], source: int, columns: int, weights: Weights) -> None:
    """Filter a row of all maps of an image with four channels: four times two pixels at once, which share loads.

    Values behind the row's last pixel do not matter. The target is a constant away from the source: otherwise the
    compiler would have to check, for so few values, that they do not overlap.
    """
    eight = np.uint64(8)
    for k in range(MAPS):
        for block in range((columns + 7) // 8):
            start = np.uint64(source + k * LINE + block * 32)
            for i in range(eight):
                j = start + i
                to = j + np.uint64(ALONG - FILTERED)
                scratch[to] = _along(scratch, j, np.uint64(4), weights)
                scratch[to + eight] = _along(scratch, j + eight, np.uint64(4), weights)
                scratch[to + eight + eight] = _along(scratch, j + eight + eight, np.uint64(4), weights)
                scratch[to + eight + eight + eight] = _along(scratch, j + eight + eight + eight, np.uint64(4), weights)


@strict
def filter_along(scratch: NDArray[Any], source: int, values: int, channels: int, weights: Weights) -> None:
    """Filter a row of one map that was filtered downwards."""
    step = np.uint64(channels)
    for i in range(np.uint64(values)):
        j = i + np.uint64(source)
        scratch[j + np.uint64(ALONG - FILTERED)] = _along(scratch, j, step, weights)


@strict
def _along(scratch: NDArray[Any], i: Any, step: Any, weights: Weights) -> Any:
    """Return thirteen pixels of a filtered row of one map, from value ``i`` on."""
    two = step + step
    three, four = two + step, two + two
    j = i + four + four
    return _weighted(
        scratch[i], scratch[i + step], scratch[i + two], scratch[i + three],
        scratch[i + four], scratch[i + four + step], scratch[i + four + two], scratch[i + four + three],
        scratch[j], scratch[j + step], scratch[j + two], scratch[j + three], scratch[j + four],
        weights,
    )  # fmt: skip


@strict
def _weighted(
    a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, middle: Any,
    g: Any, h: Any, i: Any, j: Any, k: Any, m: Any, weights: Weights,
) -> Any:  # fmt: skip
    """Return the sum of thirteen neighbours, weighted alike on both sides of the middle."""
    w0, w1, w2, w3, w4, w5, w6 = weights
    return w0 * (a + m) + w1 * (b + k) + w2 * (c + j) + w3 * (d + i) + w4 * (e + h) + w5 * (f + g) + w6 * middle
