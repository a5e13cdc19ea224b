"""A rescore of 50 submissions by 1, 2 and 4 worker processes: ``python -m benchmarks.site.workers``."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from bayerboard.demo.participant import Participant
from benchmarks.site import challenge
from benchmarks.site.sites import Site

SUBMISSIONS, IMAGES = 50, 240
PROCESSES = (1, 2, 4)


def report(submissions: int = SUBMISSIONS, images: int = IMAGES) -> str:
    rows = ["| worker processes | wall | images per second | efficiency |", "| ---: | ---: | ---: | ---: |"]
    counts = [count for count in PROCESSES if count <= len(os.sched_getaffinity(0))]
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        measured = challenge.create(site, Path(folder), images)
        with site.up(counts[-1]) as server:
            person = Participant(f"http://{server.address}")
            person.sign_up("sender", "sender@example.org", "correct horse battery")
            person.join(challenge.SLUG, "Sender")
            for number in range(submissions):
                person.submit(measured.phase, measured.submission, f"Method {number}")
            site.wait_until_idle()
        first = 0.0
        for count in counts:
            with site.up(count):
                began = time.perf_counter()
                site.manage("rescore", measured.phase, "--reason", f"{count} workers", "--yes")
                taken = time.perf_counter() - began
            speed = submissions * images / taken
            first = first or speed / count
            rows.append(f"| {count} | {taken:.1f} s | {speed:.0f} | {speed / count / first:.0%} |")
    return "\n".join([f"{submissions} submissions of {images} images, the command's own start included.", "", *rows])


if __name__ == "__main__":
    print(report())
