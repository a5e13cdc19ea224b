"""A progress bar on a terminal; nothing in a pipe."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BAR_CHARACTERS = 28
_SECONDS_BETWEEN = 0.1
_ERASE_LINE = "\r\033[K"


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Return a callback that takes the numbers done and in all; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(label)
    try:
        yield bar.show
    finally:
        sys.stderr.write(_ERASE_LINE)
        sys.stderr.flush()


class _Bar:
    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._shown = 0.0

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._shown < _SECONDS_BETWEEN and done < total:
            return
        self._shown = now
        filled = _BAR_CHARACTERS * done // total
        bar = "#" * filled + "." * (_BAR_CHARACTERS - filled)
        left_s = (now - self._started) / done * (total - done)
        sys.stderr.write(f"{_ERASE_LINE}{self._label}  [{bar}]  {done}/{total}  {left_s:.0f} s left")
        sys.stderr.flush()
