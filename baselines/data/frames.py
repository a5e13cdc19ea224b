"""Where a tile lies in the photo that it was cut from: tiles are named ``{photo}_{tile}``, row by row.

A lens darkens the corners of a photo, not of a tile: a method that knows the lens needs the tile's place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

TILE_NAME = re.compile(r"\d+_(\d+)")


@dataclass(frozen=True)
class Grid:
    """How a photo was cut into tiles.

    Attributes
    ----------
    rows, columns
        Number of tiles down and across.
    """

    rows: int
    columns: int

    def place(self, name: str) -> NDArray[np.float32]:
        """Return the borders of a tile in its photo, whose sides lie at −1 and 1.

        Parameters
        ----------
        name
            The tile's stem. One that is not ``{photo}_{tile}``, or whose number is beyond the grid, is taken for the
            tile in the middle of the photo.

        Returns
        -------
        float32 (4,): top, bottom, left, right.
        """
        match = TILE_NAME.fullmatch(name)
        if match is None or int(match[1]) >= self.rows * self.columns:
            row, column = (self.rows - 1) / 2, (self.columns - 1) / 2
        else:
            row, column = divmod(int(match[1]), self.columns)
        edges = (row / self.rows, (row + 1) / self.rows, column / self.columns, (column + 1) / self.columns)
        return np.array([2 * edge - 1 for edge in edges], np.float32)

    def places(self, names: Iterable[str]) -> NDArray[np.float32]:
        """Return the `place` of every tile, float32 N×4."""
        return np.stack([self.place(name) for name in names])


FULL_GRID = Grid(6, 8)  # AIM 2022
DEMO_GRID = Grid(2, 3)  # the default of `data make`


def grid_of(names: Iterable[str]) -> Grid:
    """Tell the grid from the names of a set's tiles: AIM 2022's, unless no number is beyond the demo's six tiles."""
    tiles = [int(match[1]) for name in names if (match := TILE_NAME.fullmatch(name))]
    return DEMO_GRID if tiles and max(tiles) < DEMO_GRID.rows * DEMO_GRID.columns else FULL_GRID
