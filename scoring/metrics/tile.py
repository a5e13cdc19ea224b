"""The arguments of the compiled loops, and the layout of their scratch memory."""

from __future__ import annotations

MAX_TAPS = 13
RADIUS = MAX_TAPS // 2
MAX_CHANNELS = 4
MAPS = 4
# A tile's rows and columns: small, as float32 loses the less the less a tile's values differ.
TILE_ROWS = 16
TILE_COLUMNS = 64
# Values from one map of a row to the next, and from one row to the next (of s and d, and of all maps): constants, so
# that the compiler knows how far neighbours are apart.
LINE = (TILE_COLUMNS + 2 * RADIUS) * MAX_CHANNELS
SOURCE_STRIDE = 2 * LINE
STRIDE = MAPS * LINE
ROWS_AT_ONCE = 4
# Offsets in the scratch memory: s and d of the tile's rows; of four rows all maps filtered downwards, and
# along; the levels. A filtered value lies a constant away from its source, or else the compiler would have to
# check for every row that the two do not overlap.
FILTERED = (TILE_ROWS + 2 * RADIUS) * SOURCE_STRIDE
ALONG = FILTERED + TILE_ROWS * SOURCE_STRIDE + ROWS_AT_ONCE * STRIDE
LEVELS = ALONG + TILE_ROWS * SOURCE_STRIDE + ROWS_AT_ONCE * STRIDE
SCRATCH_VALUES = LEVELS + LINE
