"""The metrics a protocol may name: one per file, each a pure function of two images and a data range."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Metric(Protocol):
    """A full-reference image metric."""

    def __call__(
        self, reference: NDArray[Any], submission: NDArray[Any], *, data_range: float
    ) -> float: ...  # pragma: no cover - a signature


METRICS: Mapping[str, Metric] = MappingProxyType({"psnr": psnr, "ssim": ssim})
