"""PSNR and SSIM of one pair on one core, against scipy's and scikit-image's: ``python -m benchmarks.scoring_pair``.

Each way runs in processes of its own: the formula's temporary arrays have glibc give memory back to the system and
fetch it again page by page, or not, depending on the process's earlier work.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.data import scene
from benchmarks.organisers import pair
from benchmarks.timing import in_turns
from scoring.metrics import METRICS, fast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

SIZES = (("252×252×4", 252, 252, 21), ("248×248×4", 248, 248, 21), ("12 Mpixel (1512×2016×4)", 1512, 2016, 3))
KEPT = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000", "MALLOC_TOP_PAD_": "64000000"}
OURS = "ours"
# The name of each in the table, and the environment it runs in.
WAYS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    OURS: ("Bayerboard, compiled; float32 where proven", {}),
    "float64": ("Bayerboard, compiled; float64 only", {}),
    "formula": ("formula, scipy float64, as a script runs it", {}),
    "formula-kept": ("formula, scipy float64, memory kept", KEPT),
    "skimage": ("scikit-image float64", {}),
    "general": ("Bayerboard's general way, scipy float64", {}),
}


def _ours(a: NDArray[np.uint16], b: NDArray[np.uint16]) -> Callable[[], object]:
    return lambda: [fast.measure(metric, a, b, data_range=1024) for metric in ("psnr", "ssim")]


def _skimage(reference: NDArray[np.uint16], submission: NDArray[np.uint16]) -> Callable[[], object]:
    metrics = importlib.import_module("skimage.metrics")

    def compare() -> None:
        a, b = reference / 1024, submission / 1024
        metrics.peak_signal_noise_ratio(a, b, data_range=1)
        metrics.structural_similarity(
            a, b, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )

    return compare


def measure(way: str, height: int, width: int, repeats: int) -> tuple[float, float]:
    """Return the median seconds in this process, and the share of SSIM that was worked out in float32."""
    a, b = scene(height, width, seed=1)
    if way == "float64":
        fast.MAX_ERROR = -1.0
    functions: dict[str, Callable[[], Callable[[], object]]] = {
        OURS: lambda: _ours(a, b),
        "float64": lambda: _ours(a, b),
        "formula": lambda: lambda: pair(a, b),
        "formula-kept": lambda: lambda: pair(a, b),
        "skimage": lambda: _skimage(a, b),
        "general": lambda: lambda: [METRICS[metric](a, b, data_range=1024) for metric in ("psnr", "ssim")],
    }
    seconds = in_turns({way: functions[way]()}, repeats)[way]
    measured = fast.measure("ssim", a, b, data_range=1024)
    assert measured is not None
    return seconds, measured.float32_tiles / measured.tiles


def run_apart(way: str, height: int, width: int, repeats: int) -> tuple[float, float]:
    """Run :func:`measure` in a process of its own, on one core."""
    command = [sys.executable, "-m", "benchmarks.scoring_pair", way, *map(str, (height, width, repeats))]
    core = min(os.sched_getaffinity(0))
    done = subprocess.run(
        command,
        env={**os.environ, **WAYS[way][1]},
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    seconds, share = json.loads(done.stdout)
    return float(seconds), float(share)


def report(*, rounds: int = 3) -> str:
    lines = ["| pair | way | median | ratio to ours |", "| --- | --- | ---: | ---: |"]
    shares = {}
    for label, height, width, repeats in SIZES:
        runs: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, seconds in runs.items():
                taken, share = run_apart(way, height, width, repeats)
                seconds.append(taken)
                if way == OURS:
                    shares[label] = share
        ours = median(runs[OURS])
        lines += [
            f"| {label} | {WAYS[way][0]} | {median(seconds) * 1e3:.2f} ms | {median(seconds) / ours:.1f} |"
            for way, seconds in runs.items()
        ]
    told = ", ".join(f"{share:.0%} at {label}" for label, share in shares.items())
    return "\n".join([*lines, "", f"Share of SSIM's tiles that float32 was proven to be enough for: {told}."])


def main() -> None:
    parser = argparse.ArgumentParser(description="Without arguments: all ways and sizes, as a table.")
    parser.add_argument("way", nargs="?", choices=list(WAYS))
    parser.add_argument("numbers", nargs="*", type=int, metavar="HEIGHT WIDTH REPEATS")
    options = parser.parse_args()
    print(json.dumps(measure(options.way, *options.numbers)) if options.way else report())


if __name__ == "__main__":
    main()
