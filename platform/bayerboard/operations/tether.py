"""Run a command that dies with whoever started it: `python tether.py PARENT_PID COMMAND…`.

The supervisor starts every child through this file, by path and with `-I -S`, so that it costs a bare
interpreter's start and nothing of Bayerboard is imported. It asks the kernel to kill this process when its
parent dies, however that dies, and then becomes the command. A `preexec_fn` would do the same between fork
and exec, where a process with threads may deadlock.

The kernel means the parent *thread*: whoever starts children this way must do so from one that outlives them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel knew of our wish
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is what we want


if __name__ == "__main__":
    main()
