"""The settings of metrics in a protocol, besides the data range."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scoring.metrics.kl import BINS, SMOOTHING
from scoring.metrics.ms_ssim import MIN_SIDE_PX

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = int | float | bool


@dataclass(frozen=True)
class Parameter:
    """One setting of a metric: its default, whose type is its own, and its bounds (both included)."""

    default: Value
    least: float = 0
    most: float = 1
    must_be_odd: bool = False

    def fault(self, value: Any) -> str | None:
        """Return the fault of a value, as the end of a sentence that begins with the parameter; None for a good one."""
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
        whole = isinstance(self.default, int)
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            return f"must be {'an integer' if whole else 'a number'}, not {value!r}"
        if not self.least <= value <= self.most:
            return f"must be between {self.least:g} and {self.most:g}, not {value}"
        return "must be odd" if self.must_be_odd and value % 2 == 0 else None


PARAMETERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        "psnr": {},
        "ssim": {
            "taps": Parameter(13, 3, 63, must_be_odd=True),
            "sigma": Parameter(1.5, 0.1, 20.0),
            "crop_px": Parameter(5, 0, 64),
            "sample_covariance": Parameter(default=False),
        },
        "ms_ssim": {},
        "kl": {"bins": Parameter(BINS, 2, 65536), "smoothing": Parameter(SMOOTHING, 1e-9, 1e6)},
        "delta_e": {},
        "mae": {},
    }
)

# Names for settings that go together; those that a preset leaves out have their defaults.
PRESETS: Mapping[str, Mapping[str, Mapping[str, Value]]] = MappingProxyType(
    {
        "ssim": {
            # The organisers' scoring program of AIM 2022: the default.
            "aim22": {"taps": 13, "sigma": 1.5, "crop_px": 5, "sample_covariance": False},
            # Wang et al. 2004: 11 taps, and only where the window fits.
            "wang": {"taps": 11, "sigma": 1.5, "crop_px": 5, "sample_covariance": False},
        }
    }
)


def least_side_px(metric: str, parameters: Mapping[str, Value]) -> int:
    """Return the fewest rows and columns that a metric can work with."""
    if metric == "ssim":
        # One pixel that the crop leaves over.
        return 2 * int(parameters.get("crop_px", PARAMETERS["ssim"]["crop_px"].default)) + 1
    return MIN_SIDE_PX if metric == "ms_ssim" else 1
