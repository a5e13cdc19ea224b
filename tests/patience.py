"""How long tests wait, in one place.

A wait ends as soon as its condition is true, and fails as soon as the process that was to make it true is dead. The
limits are for the case in between. A machine ten times slower than a fast one keeps them: an old one, on which other
programs run. No test measures by them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SLOWER = 10
# A start, a score, a page, an answer.
PATIENCE_S = SLOWER * 30
# Many of these together: a storm's last score, a cell of a notebook that trains a network.
LONG_PATIENCE_S = SLOWER * 120
# A whole test with its fixtures; one that starts processes or a browser takes longer.
TEST_S = SLOWER * 60
TEST_WITH_PROCESSES_S = SLOWER * 240
# Between two looks: at first at once, then rarely enough to leave the processor to those that are waited for.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.005, 0.05


def wait_for(
    look: Callable[[], T | None], within_s: float = PATIENCE_S, check: Callable[[], object] = lambda: None
) -> T:
    """Return what `look` returns as soon as that is true.

    `check` is called before each look, and raises where waiting has become useless.
    """
    deadline = time.monotonic() + within_s
    pause_s = FIRST_PAUSE_S
    while True:
        check()
        if found := look():
            return found
        assert time.monotonic() < deadline, f"waited in vain for {within_s:g} s"
        time.sleep(pause_s)
        pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)
