"""Ranking and statistics of a large board, in time and memory: ``python -m benchmarks.ranking_scale --write``.

1,000 teams × 480 images of 10 photos by default, in a process of its own, whose peak memory is measured from outside.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from scoring.ranking import competition_ranks
from scoring.statistics import mean_intervals, rank_sets, unit_scores

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- what was measured -->", "<!-- end -->"
RUNS = 3
MIB = 1 << 20


def measure(teams: int, images: int, photos: int) -> dict[str, float]:
    """Return the seconds of each step, in this process."""
    generator = np.random.default_rng(1)
    groups: list[str | None] = [str(image * photos // images) for image in range(images)]
    levels = generator.normal(30, 1, (teams, 1)) + generator.normal(0, 3, photos).repeat(images // photos)
    values = levels + generator.normal(0, 0.4, (teams, photos)).repeat(images // photos, axis=1)
    values += generator.normal(0, 0.6, values.shape)
    seconds = {}
    started = time.perf_counter()
    units = unit_scores(values, groups)
    seconds["photos from images"] = time.perf_counter() - started
    started = time.perf_counter()
    competition_ranks(list(zip(values.mean(axis=1), values[:, 0], strict=True)), ["desc", "desc"], 1e-6)
    seconds["competition ranks by two columns"] = time.perf_counter() - started
    started = time.perf_counter()
    mean_intervals(units.scores, units.sizes)
    seconds["intervals of all means"] = time.perf_counter() - started
    started = time.perf_counter()
    rank_sets(units.scores, "desc", units.sizes)
    seconds["rank sets and groups"] = time.perf_counter() - started
    return seconds


def in_a_process(teams: int, images: int, photos: int) -> tuple[dict[str, float], float]:
    """Return the steps' seconds, and the peak memory of the whole process in MiB."""
    command = [sys.executable, "-m", "benchmarks.ranking_scale", "--here", f"--teams={teams}"]
    command += [f"--images={images}", f"--photos={photos}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    data = json.loads(ended.stdout)
    return data["seconds"], data["peak_mib"]


def table(options: argparse.Namespace) -> str:
    found = [in_a_process(options.teams, options.images, options.photos) for _ in range(RUNS)]
    steps = found[0][0]
    best = {step: min(seconds[step] for seconds, _ in found) for step in steps}
    lines = ["| step | time |", "|---|---:|", *(f"| {step} | {seconds:.3f} s |" for step, seconds in best.items())]
    lines.append(f"| **all, peak memory {max(peak for _, peak in found):.0f} MiB** | **{sum(best.values()):.2f} s** |")
    about = (
        f"`python -m benchmarks.ranking_scale --write`: {options.teams:,} teams × {options.images} images of "
        f"{options.photos} photos; each step's best of {RUNS} runs; {os.cpu_count()} × {_cpu()}, Python "
        f"{platform.python_version()}, numpy {np.__version__}; load of the machine {os.getloadavg()[0]:.1f}."
    )
    return about + "\n\n" + "\n".join(lines)


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", type=int, default=1000)
    parser.add_argument("--images", type=int, default=480)
    parser.add_argument("--photos", type=int, default=10)
    parser.add_argument("--here", action="store_true", help="measure in this process and print JSON")
    parser.add_argument("--write", action="store_true", help="put the table into docs/statistics.md")
    options = parser.parse_args()
    if options.here:
        seconds = measure(options.teams, options.images, options.photos)
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB
        print(json.dumps({"seconds": seconds, "peak_mib": peak_mib}))
        return 0
    text = table(options)
    print(text)
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
