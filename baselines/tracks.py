"""The tracks that the RGB → RAW methods know, with the tile sizes of AIM 2022 Reversed ISP."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Track:
    """One track of the AIM 2022 Reversed ISP challenge.

    Attributes
    ----------
    name
        Short name on the command line.
    title
        The phone that the track's data come from.
    tile_size
        Height and width of an RGB tile in pixels; its packed RAW has half of both.
    protocol
        Name of the scoring protocol.
    """

    name: str
    title: str
    tile_size: int
    protocol: str

    @property
    def packed_shape(self) -> tuple[int, int, int]:
        """Shape of a tile's packed RAW."""
        return (self.tile_size // 2, self.tile_size // 2, 4)


TRACKS = MappingProxyType(
    {
        "s7": Track("s7", "Samsung S7", 504, "aim22-s7"),
        "p20": Track("p20", "Huawei P20", 496, "aim22-p20"),
    }
)
