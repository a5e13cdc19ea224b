"""What a worker calls itself in the database."""

from __future__ import annotations

import os
import socket


def worker_name() -> str:
    """Return HOST/PID: enough to find the process in a log."""
    return f"{socket.gethostname()}/{os.getpid()}"
