"""Kullback–Leibler divergence of two images' histograms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.metrics.images import check_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 256
SMOOTHING = 1.0


def kl(
    reference: NDArray[Any],
    submission: NDArray[Any],
    *,
    data_range: float,
    bins: int = BINS,
    smoothing: float = SMOOTHING,
) -> float:
    """Return the divergence of the submission's levels from the reference's: per channel, then the channels' mean.

    Where pixels do not correspond, as in noise synthesis and unpaired tasks, only distributions can be compared.

    Parameters
    ----------
    reference, submission
        H×W×C arrays of one shape, integer or floating, finite.
    data_range
        The level that counts as 1.0; positive.
    bins
        Histogram bins of equal width from 0 to ``data_range``; values outside count in the nearest bin.
    smoothing
        Pixels that are added to every bin of both histograms, so that no bin is empty; positive.

    Returns
    -------
    float
        ``Σ p · ln(p / q)`` in nats, p the reference's histogram and q the submission's, each with a sum of 1. At
        least 0, the value for equal histograms.

    Raises
    ------
    ValueError
        Different shapes, an empty image, not three dimensions, no bin, a smoothing or a data range that is not
        positive and finite, or NaN or infinity.
    TypeError
        An array that holds no real numbers.

    References
    ----------
    S. Kullback, R. A. Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22, 1951; used on
    histograms of camera noise by A. Abdelhamed, M. A. Brubaker, M. S. Brown, "Noise Flow", ICCV 2019. Bins and
    smoothing are not fixed by these sources: a protocol states its own.
    """
    check_pair(reference, submission, data_range)
    if reference.ndim != 3:
        raise ValueError(f"images must be H×W×C, not {reference.shape}")
    if bins < 1 or not (math.isfinite(smoothing) and smoothing > 0):
        raise ValueError(f"bins and smoothing must be positive, not {bins} and {smoothing}")
    divergences = []
    for channel in range(reference.shape[2]):
        p = _histogram(reference[..., channel], data_range, bins, smoothing)
        q = _histogram(submission[..., channel], data_range, bins, smoothing)
        # Not negative in exact arithmetic.
        divergences.append(max(math.fsum(p * np.log(p / q)), 0.0))
    return math.fsum(divergences) / len(divergences)


def _histogram(plane: NDArray[Any], data_range: float, bins: int, smoothing: float) -> NDArray[np.float64]:
    scaled = np.floor(plane.astype(np.float64) * (bins / data_range))
    index = np.clip(scaled, 0, bins - 1).astype(np.intp)
    counts = np.bincount(index.ravel(), minlength=bins) + smoothing
    frequencies: NDArray[np.float64] = counts / counts.sum()
    return frequencies
