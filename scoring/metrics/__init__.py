"""The metrics a protocol may name: one per file, each a pure function of two images and a data range."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scoring.metrics.delta_e import delta_e
from scoring.metrics.kl import kl
from scoring.metrics.mae import mae
from scoring.metrics.ms_ssim import ms_ssim
from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

# Each is called as metric(reference, submission, data_range=…, **parameters).
METRICS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {"psnr": psnr, "ssim": ssim, "ms_ssim": ms_ssim, "kl": kl, "delta_e": delta_e, "mae": mae}
)


def per_channel(
    metric: str, reference: NDArray[Any], submission: NDArray[Any], *, data_range: float, **parameters: Any
) -> tuple[float, ...]:
    """Return a metric of each channel alone, in their order.

    Parameters
    ----------
    metric
        A key of ``METRICS`` other than ``delta_e``, which needs all three.
    reference, submission
        H×W×C arrays of one shape.
    data_range
        The level that counts as 1.0; positive.

    Raises
    ------
    ValueError, TypeError
        As the metric does.
    """
    return tuple(
        METRICS[metric](reference[..., [channel]], submission[..., [channel]], data_range=data_range, **parameters)
        for channel in range(reference.shape[2])
    )
