"""What the compiled loops take, and how they lay out their room to work in."""

from __future__ import annotations

MAX_TAPS = 13
RADIUS = MAX_TAPS // 2
MAX_CHANNELS = 4
MAPS = 4
# A tile's rows and columns: small, as float32 loses the less the less a tile's values differ.
TILE_ROWS = 16
TILE_COLUMNS = 32
# Values from one map of a row to the next, and from one row to the next: constants, as are the lengths of the loops over
# them, so that the compiler knows all of them.
LINE = (TILE_COLUMNS + 2 * RADIUS) * MAX_CHANNELS
STRIDE = MAPS * LINE
ROWS_AT_ONCE = 4
# Where things lie in the room to work in: the tile's rows, those filtered downwards, the levels.
FILTERED = (TILE_ROWS + 2 * RADIUS) * STRIDE
LEVELS = FILTERED + ROWS_AT_ONCE * STRIDE
ROOM_VALUES = LEVELS + LINE
