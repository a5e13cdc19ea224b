"""Small programs for the supervisor to run, and a look at the processes of this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from bayerboard.operations.supervisor import Program

# The state letters of a process that is gone, a zombie, or dead.
ENDED = {"", "Z", "X"}
# Writes its pid as a line of a file, then waits; SIGTERM ends it at once.
RECORD_AND_WAIT = """
import os, pathlib, signal, sys
with pathlib.Path(sys.argv[1]).open("a") as file:
    file.write(f"{os.getpid()}\\n")
signal.pause()
"""


def program(name: str, folder: Path, code: str = RECORD_AND_WAIT, **options: object) -> Program:
    """Return a program that runs Python code with the path of its own record file as the argument."""
    command = [sys.executable, "-c", code, str(folder / f"{name}.record")]
    return Program(name, command, folder / "log" / f"{name}.log", **options)  # type: ignore[arg-type]


def recorded(name: str, folder: Path) -> list[int]:
    """Return the numbers in a program's record file; a line that is still being written is left out."""
    file = folder / f"{name}.record"
    text = file.read_text() if file.exists() else ""
    return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def stat_of(pid: int) -> tuple[str, int]:
    """Return a process's state letter and its parent; ("", 0) when there is none."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    return state, int(parent)


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    return stat_of(pid)[0] not in ENDED


def descendants(ancestor: int) -> set[int]:
    """Return the running processes that a process started, and those that these started."""
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    parents = {pid: parent for pid in pids for state, parent in [stat_of(pid)] if state not in ENDED}
    found, generation = set[int](), {ancestor}
    while generation := {pid for pid, parent in parents.items() if parent in generation}:
        found |= generation
    return found
