"""This machine's equipment for methods that need torch; asking imports torch only where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Equipment:
    """The equipment of a worker.

    Attributes
    ----------
    has_torch
        Whether the ``baselines`` extra is installed.
    has_gpu
        Whether torch can use an NVIDIA GPU.
    """

    has_torch: bool
    has_gpu: bool


@cache
def equipment() -> Equipment:
    """Look once: neither changes while a process lives."""
    if importlib.util.find_spec("torch") is None:
        return Equipment(has_torch=False, has_gpu=False)
    torch = importlib.import_module("torch")
    return Equipment(has_torch=True, has_gpu=bool(torch.cuda.is_available()))


def name_of_processor() -> str:
    """Return the processor's model, as far as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
