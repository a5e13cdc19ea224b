"""Working on several images at once, each from its packed bytes to its scores.

Inflating and the metrics' loops let other threads run, so that threads use the cores there are, and inflating one image
overlaps with comparing another. Each holds one image, so memory does not grow with their number.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(function: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int) -> Generator[_Result]:
    """Yield the results in the order of their items, of so many at once; with one job in the caller's thread.

    An exception of the function is raised where its result would come. Closing the generator stops promptly: items
    that have not begun are dropped, and those that have are waited for.
    """
    if jobs == 1:
        yield from map(function, items)
        return
    threads = ThreadPoolExecutor(jobs, thread_name_prefix="scoring")
    try:
        yield from threads.map(function, items)
    finally:
        threads.shutdown(cancel_futures=True)
