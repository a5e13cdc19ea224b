"""Writes progress often enough for a person and for the lease, and no more often."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WRITE_EVERY_S = 0.5


class Progress:
    """Calls `write(done, total)` at most every half second, and for the first image."""

    def __init__(self, write: Callable[[int, int], None], every_s: float = WRITE_EVERY_S) -> None:
        self._write = write
        self._every_s = every_s
        self._next_write = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next_write:
            self._next_write = now + self._every_s
            self._write(done, total)
