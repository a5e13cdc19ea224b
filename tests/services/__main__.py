"""Run a command on PostgreSQL: `python -m tests.services COMMAND…` starts a server and sets DATABASE_URL."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys

import pytest

from tests.services.postgres import find_programs, postgres


def main() -> int:
    """Return the command's exit status."""
    try:
        find_programs()
    except pytest.fail.Exception as missing:
        sys.exit(str(missing))
    with postgres() as server:
        environment = {
            **os.environ,
            "DATABASE_URL": server.make_database("bayerboard"),
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        # Ctrl-C reaches the command as well: it stops by itself, and the server after it.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
