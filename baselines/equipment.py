"""What this machine has for the methods that need torch; asking imports torch only where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Equipment:
    """What a worker can run.

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


def device_name(device: str) -> str:
    """Return the model of the processor (``cpu``) or of torch's first GPU (``gpu``)."""
    if device == "gpu":
        return str(importlib.import_module("torch").cuda.get_device_name(0))
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
