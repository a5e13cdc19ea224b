"""100 participants at the deadline, each with 20 MB: ``python -m benchmarks.site.deadline``."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from benchmarks.site import challenge
from benchmarks.site.pages import p95
from benchmarks.site.sender import FINAL, Sender
from benchmarks.site.sites import Server, Site

PARTICIPANTS, IMAGES = 100, 62
POLL_EVERY_S = 1.0
WITHIN_S = 900


def report(participants: int = PARTICIPANTS, images: int = IMAGES) -> str:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        measured = challenge.create(site, Path(folder), images)
        size_mb = measured.submission_mb
        people = challenge.participants(site, participants)
        with site.up(score_workers=2) as server, _MemoryOf(server) as memory:
            senders = [Sender(server.address, cookies) for cookies in people]
            began = time.perf_counter()
            with ThreadPoolExecutor(participants) as threads:
                accepted = list(threads.map(lambda sender: _send_and_follow(sender, measured), senders))
            taken = time.perf_counter() - began
    lines = [
        f"{participants} participants at once, each with {size_mb:.0f} MB, two worker processes, everything on this "
        f"machine's cores, this load included: all accepted after {max(accepted) - began:.1f} s, "
        f"all scored after {taken:.1f} s, no error. The web processes together held {max(memory):.0f} MB at the most.",
        "",
        "| request | number | median | p95 |",
        "| --- | ---: | ---: | ---: |",
    ]
    for label, name in (
        ("page", "page"),
        ("upload API", "api"),
        ("a part", "part"),
        ("submit form", "submit"),
        ("status", "poll"),
    ):
        seconds = [one for sender in senders for one in getattr(sender.taken, name)]
        lines.append(f"| {label} | {len(seconds)} | {1000 * median(seconds):.0f} ms | {1000 * p95(seconds):.0f} ms |")
    return "\n".join(lines)


def _send_and_follow(sender: Sender, measured: challenge.Measured) -> float:
    """Return when the submission was accepted, once it is scored."""
    submission = sender.submit(measured.phase, measured.submission)
    accepted_at = time.perf_counter()
    deadline = time.monotonic() + WITHIN_S
    while not (found := FINAL.search(sender.status(submission))):
        if time.monotonic() > deadline:
            raise RuntimeError("no result")
        time.sleep(POLL_EVERY_S)
    if found[1] != "scored":
        raise RuntimeError(f"submission {submission} was {found[1]}")
    return accepted_at


class _MemoryOf:
    """Looks at the web processes' memory while a block runs; gives the list of their sums."""

    def __init__(self, server: Server) -> None:
        self._server, self._seen = server, [0.0]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> list[float]:
        self._thread.start()
        return self._seen

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.5):
            self._seen.append(self._server.web_memory_mb())


if __name__ == "__main__":
    print(report())
