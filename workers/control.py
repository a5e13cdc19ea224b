"""A worker's answer when `manage.py doctor` asks about its machine."""

from __future__ import annotations

import shutil
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from celery.worker.control import inspect_command

import scoring

GPU_QUERY = ("--query-gpu=name", "--format=csv,noheader")


@inspect_command(name="machine_facts")
def machine_facts(state: Any) -> dict[str, Any]:
    """Return clock, version, torch and GPUs.

    Nothing is imported to find out: the process that answers is the parent of those that work, and a CUDA that it had
    started would be of no use to them.
    """
    return {"time": time.time(), "version": scoring.__version__, "torch": torch_version(), "gpus": gpus()}


def torch_version() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""


def gpus() -> list[str]:
    """Return the names of the GPUs that the driver shows."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    done = subprocess.run([program, *GPU_QUERY], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
