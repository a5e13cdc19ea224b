"""Small programs for the supervisor to run, and waiting for what they do."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bayerboard.operations.supervisor import Program

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# Writes its pid as a line of a file, then waits; SIGTERM ends it at once.
RECORD_AND_WAIT = """
import os, pathlib, signal, sys
with pathlib.Path(sys.argv[1]).open("a") as file:
    file.write(f"{os.getpid()}\\n")
signal.pause()
"""


def wait_for(look: Callable[[], T], timeout_s: float = 20) -> T:
    """Return what `look` returns as soon as that is true; fail when it does not become so."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def program(name: str, folder: Path, code: str = RECORD_AND_WAIT, **options: object) -> Program:
    """Return a program that runs Python code with the path of its own record file as the argument."""
    command = [sys.executable, "-c", code, str(folder / f"{name}.record")]
    return Program(name, command, folder / "log" / f"{name}.log", **options)  # type: ignore[arg-type]


def recorded(name: str, folder: Path) -> list[int]:
    """Return the numbers in a program's record file; a line that is still being written is left out."""
    file = folder / f"{name}.record"
    text = file.read_text() if file.exists() else ""
    return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def processes_with(setting: str) -> list[int]:
    """Return the processes, other than this one, that were started with `NAME=VALUE` in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid() and is_running(int(folder.name)):
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:  # it has just ended, or is someone else's
                continue
            if setting.encode() in environment.split(b"\0"):
                found.append(int(folder.name))
    return found
