"""A worker's name in the database."""

from __future__ import annotations

import os
import socket


def worker_name(pid: int | None = None) -> str:
    """Return HOST/PID of this process, or of another on this machine: enough to find it in a log."""
    return f"{socket.gethostname()}/{pid or os.getpid()}"
