"""Taking times on a machine that does other things too: in turns, and the median."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def in_turns(functions: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each, all of them measured once in every round; the first round does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return {name: median(values) for name, values in seconds.items()}


@dataclass(frozen=True)
class Run:
    """The time and memory of a process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: Sequence[str], cores: int) -> Run:
    """Run a Python command as a process of its own, on so many cores of those that are usable."""
    chosen = set(sorted(os.sched_getaffinity(0))[:cores])
    # As an installed program runs: with its compiled files kept.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{command} failed")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median_run(runs: Sequence[Run]) -> Run:
    return Run(
        median(run.wall_s for run in runs), median(run.cpu_s for run in runs), median(run.peak_mb for run in runs)
    )
