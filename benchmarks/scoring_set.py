"""A whole test set from the zip to the report, as a process: ``python -m benchmarks.scoring_set``."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.data import SIDE_PX, TILES, make_test_set, scene
from benchmarks.timing import Run, median_run, run
from scoring.archive import ZipArchive
from scoring.metrics import fast

IMAGES = 480
MEMORY_IMAGES = (48, 480, 4800)


def ours(reference: Path, submission: Path) -> list[str]:
    return ["-m", "scoring", "score", "--protocol", "aim22-s7", "--reference", f"{reference}", "--submission",
            f"{submission}"]  # fmt: skip


def floor(submission: Path, repeats: int) -> float:
    """Return the seconds for inflating a submission and comparing as many pairs, on one core, and nothing else."""
    pairs = [scene(SIDE_PX, SIDE_PX, seed) for seed in range(TILES)]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    seconds = []
    with ZipArchive(submission) as archive:
        images = [entry for entry in archive.entries if entry.name.endswith(".npy")]
        for _ in range(repeats):
            began = time.perf_counter()
            for number, entry in enumerate(images):
                archive.read(entry)
                for metric in ("psnr", "ssim"):
                    fast.measure(metric, *pairs[number % TILES], data_range=1024)
            seconds.append(time.perf_counter() - began)
    os.sched_setaffinity(0, cores)
    return median(seconds)


def report(*, repeats: int = 3) -> str:
    lines = [
        "| cores | way | wall | processor | peak memory | ratio of wall | ratio of processor |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        reference, _, submission = make_test_set(Path(folder), IMAGES)
        theirs = [str(Path(__file__).with_name("organisers.py")), f"{reference}", f"{submission}"]
        inflated_mb = sum(file.stat().st_size for file in reference.iterdir()) / 1e6
        packed_mb = submission.stat().st_size / 1e6
        run(ours(reference, submission), 1)
        for cores in (1, 2)[: len(os.sched_getaffinity(0))]:
            runs: list[tuple[Run, Run]] = [
                (run(ours(reference, submission), cores), run(theirs, cores)) for _ in range(repeats)
            ]
            our, their = (median_run(side) for side in zip(*runs, strict=True))
            for way, taken in (("`python -m scoring score`", our), ("the organisers' way", their)):
                lines.append(
                    f"| {cores} | {way} | {taken.wall_s:.2f} s | {taken.cpu_s:.2f} s | {taken.peak_mb:.0f} MB "
                    f"| {taken.wall_s / our.wall_s:.1f} | {taken.cpu_s / our.cpu_s:.1f} |"
                )
        least = floor(submission, repeats)
    sizes = f"{inflated_mb:.0f} MB inflated, {packed_mb:.0f} MB packed"
    head = f"{IMAGES} images of 252×252×4, {sizes}; references in a folder."
    foot = f"The floor, inflating the submission and comparing the pairs and nothing else, one core: {least:.2f} s."
    return "\n".join([head, "", *lines, "", foot])


def memory() -> str:
    lines = ["| images | peak memory | wall |", "| ---: | ---: | ---: |"]
    for images in MEMORY_IMAGES:
        with tempfile.TemporaryDirectory() as folder:
            reference, _, submission = make_test_set(Path(folder), images, level=1)
            taken = run(ours(reference, submission), 2)
        lines.append(f"| {images} | {taken.peak_mb:.0f} MB | {taken.wall_s:.2f} s |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(), memory(), sep="\n\n")
