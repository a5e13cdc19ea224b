"""From the last byte of a 480-image submission to its rank on the page: ``python -m benchmarks.site.latency``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.site import challenge
from benchmarks.site.pages import p95
from benchmarks.site.sender import FINAL, RANK, Sender
from benchmarks.site.sites import Site

IMAGES, TIMES = 480, 15
POLL_EVERY_S = 0.05
WITHIN_S = 120


def report(images: int = IMAGES, times: int = TIMES) -> str:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        measured = challenge.create(site, Path(folder), images)
        (person,) = challenge.participants(site, 1)
        with site.up(score_workers=1) as server:
            sender = Sender(server.address, person)
            # The first meets a worker that has compiled nothing yet.
            seconds = [_once(sender, measured) for _ in range(times + 1)]
    size_mb = f"{images} images, one worker process that has nothing else to do, the page asked every {POLL_EVERY_S} s."
    return "\n".join(
        [
            size_mb,
            "",
            "| submissions | median | p95 | the first after a start |",
            "| ---: | ---: | ---: | ---: |",
            f"| {times} | {median(seconds[1:]):.2f} s | {p95(seconds[1:]):.2f} s | {seconds[0]:.2f} s |",
        ]
    )


def _once(sender: Sender, measured: challenge.Measured) -> float:
    submission = sender.submit(measured.phase, measured.submission)
    deadline = time.monotonic() + WITHIN_S
    while not FINAL.search(page := sender.status(submission)):
        if time.monotonic() > deadline:
            raise RuntimeError("no result")
        time.sleep(POLL_EVERY_S)
    # Of equal submissions the first stands on the board: the others show their scores and no rank.
    if "scored" not in page or not (RANK.search(page) or "<dt>PSNR</dt>" in page):
        raise RuntimeError(f"no score on the page: {page[:500]}")
    return time.perf_counter() - sender.last_byte_at


if __name__ == "__main__":
    print(report())
