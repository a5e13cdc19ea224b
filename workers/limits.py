"""Limits of the scoring of one submission: its time, and its memory."""

from __future__ import annotations

import resource
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

# The claim is over a little earlier, so that a worker that finds this process dead finds the job free as well.
GRACE_S = 5.0
MEGABYTE = 2**20


class Watchdog:
    """Ends this process once its claim is over for certain, should the work not notice by itself.

    The kernel does it, by a timer's signal that nothing here handles: code that hangs inside a C library never gives
    Python a chance to. The timer runs on the monotonic clock, so that a clock that is set changes nothing.
    """

    def __init__(self, lease_s: float, limit_s: float) -> None:
        self._lease_s = lease_s
        self._ends_at = time.monotonic() + limit_s

    def __enter__(self) -> Self:
        # Signals belong to the main thread, and so does the work of a Celery child.
        self._is_armed = threading.current_thread() is threading.main_thread()
        if self._is_armed:
            self._handler = signal.signal(signal.SIGALRM, signal.SIG_DFL)
            self._timer = signal.getitimer(signal.ITIMER_REAL)
            self.extend()
        return self

    def extend(self) -> None:
        """Begin the lease anew, but not beyond the limit; call after every progress that was written."""
        if self._is_armed:
            left_s = min(self._lease_s, self._ends_at - time.monotonic())
            signal.setitimer(signal.ITIMER_REAL, max(left_s, 0) + GRACE_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the timer back to its earlier user."""
        if self._is_armed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)
            signal.setitimer(signal.ITIMER_REAL, *self._timer)


@contextmanager
def memory_bound(limit_mb: int) -> Iterator[None]:
    """Let an allocation beyond the limit raise MemoryError here, instead of making the kernel kill somebody; 0: none.

    The memory that this process alone can write to counts (RLIMIT_DATA). The address space would be the wrong measure:
    libraries reserve much more of it than they use.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limit_mb * MEGABYTE
    if not limit_mb or (hard != resource.RLIM_INFINITY and wanted > hard):
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
