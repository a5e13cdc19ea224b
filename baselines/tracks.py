"""The tracks that the methods know, with the tile sizes of AIM 2022 Reversed ISP and MAI 2022 Learned ISP."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class Track:
    """One track of a challenge.

    Attributes
    ----------
    name
        Short name on the command line.
    title
        The phone that the track's data come from.
    tile_size
        Height and width of a tile in pixels; its packed RAW has half of both.
    protocol
        Name of the scoring protocol.
    task
        The direction of prediction.
    """

    name: str
    title: str
    tile_size: int
    protocol: str
    task: Literal["rgb-to-raw", "raw-to-rgb"] = "rgb-to-raw"

    @property
    def packed_shape(self) -> tuple[int, int, int]:
        """Shape of a tile's packed RAW."""
        return (self.tile_size // 2, self.tile_size // 2, 4)

    @property
    def rgb_shape(self) -> tuple[int, int, int]:
        """Shape of a tile's RGB."""
        return (self.tile_size, self.tile_size, 3)

    @property
    def reads_raw(self) -> bool:
        """Whether a method of this track is given RAW and predicts RGB."""
        return self.task == "raw-to-rgb"

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Shape of the prediction for a tile."""
        return self.rgb_shape if self.reads_raw else self.packed_shape


TRACKS = MappingProxyType(
    {
        "s7": Track("s7", "Samsung S7", 504, "aim22-s7"),
        "p20": Track("p20", "Huawei P20", 496, "aim22-p20"),
        "mai22": Track("mai22", "Learned ISP", 256, "mai22-learned-isp", "raw-to-rgb"),
    }
)
