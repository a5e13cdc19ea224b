"""Eight clients that submit one after the other without a pause: ``python -m benchmarks.site.submitting``."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from statistics import median

from benchmarks.site import challenge
from benchmarks.site.databases import DATABASES, database
from benchmarks.site.pages import p95
from benchmarks.site.sender import Sender
from benchmarks.site.sites import Site

CLIENTS, EACH, IMAGES = 8, 40, 1


def report(clients: int = CLIENTS, each: int = EACH) -> str:
    lines = [
        f"{clients} clients with {each} submissions each, of one image; a worker scores them meanwhile. The call is "
        "the POST that makes the submission; with it go four for the upload in one part.",
        "",
        f"| database | one client: median | {clients} clients: median | p95 | a second, upload included |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind in DATABASES:
        with tempfile.TemporaryDirectory() as folder, database(kind) as url:
            site = Site(Path(folder) / "data", url)
            measured = challenge.create(site, Path(folder), IMAGES)
            with site.up(score_workers=1) as server:
                alone = Sender(server.address, "alone", challenge.SLUG)
                _submit(alone, measured, each)
                senders = [Sender(server.address, f"sender{number}", challenge.SLUG) for number in range(clients)]
                began = time.perf_counter()
                with ThreadPoolExecutor(clients) as threads:
                    list(threads.map(_submit, senders, repeat(measured), repeat(each)))
                speed = clients * each / (time.perf_counter() - began)
        calls = [seconds for sender in senders for seconds in sender.taken.submit]
        lines.append(
            f"| {kind} | {1000 * median(alone.taken.submit):.0f} ms | {1000 * median(calls):.0f} ms "
            f"| {1000 * p95(calls):.0f} ms | {speed:.0f} |"
        )
    return "\n".join(lines)


def _submit(sender: Sender, measured: challenge.Measured, times: int) -> None:
    for _ in range(times):
        sender.submit(measured.phase, measured.submission)


if __name__ == "__main__":
    print(report())
