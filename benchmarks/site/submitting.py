"""Clients that submit their uploads, without a pause: ``python -m benchmarks.site.submitting``."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.site import challenge
from benchmarks.site.databases import DATABASES, database
from benchmarks.site.pages import p95
from benchmarks.site.sender import Sender
from benchmarks.site.sites import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.site.sites import Server

CLIENTS, ROUNDS = 8, 5
# As many as a team may have uploaded and not submitted.
AT_ONCE = 10


def report(clients: int = CLIENTS, rounds: int = ROUNDS) -> str:
    lines = [
        f"The POST alone that makes a submission of an archive that has arrived, {rounds * AT_ONCE} times for each "
        "client, one after the other; nothing is scored meanwhile.",
        "",
        "| database | clients | median | p95 | a second |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind in DATABASES:
        with tempfile.TemporaryDirectory() as folder, database(kind) as url:
            site = Site(Path(folder) / "data", url)
            measured = challenge.create(site, Path(folder), images=1)
            people = challenge.participants(site, 1 + clients)
            with site.up(score_workers=1) as server:
                alone, *together = (Sender(server.address, cookies) for cookies in people)
                for senders in ([alone], together):
                    taken_s = sum(_round(site, server, senders, measured) for _ in range(rounds))
                    calls = [seconds for sender in senders for seconds in sender.taken.submit]
                    lines.append(
                        f"| {kind} | {len(senders)} | {1000 * median(calls):.0f} ms | {1000 * p95(calls):.0f} ms "
                        f"| {len(calls) / taken_s:.0f} |"
                    )
    return "\n".join(lines)


def _round(site: Site, server: Server, senders: Sequence[Sender], measured: challenge.Measured) -> float:
    """Upload, then submit all of it; return how many seconds the latter took."""

    def upload(sender: Sender) -> list[dict[str, str]]:
        return [sender.upload(measured.phase, measured.submission) for _ in range(AT_ONCE)]

    def submit(sender: Sender, forms: list[dict[str, str]]) -> None:
        for form in forms:
            sender.send_form(measured.phase, form)

    with ThreadPoolExecutor(len(senders)) as threads:
        uploaded = list(threads.map(upload, senders))
        # Held while it scores, it could hold SQLite's lock.
        site.wait_until_idle()
        for sender in senders:
            sender.disconnect()  # the site has done so by now, for want of requests
        with server.scoring_held():
            began = time.perf_counter()
            list(threads.map(submit, senders, uploaded))
            return time.perf_counter() - began


if __name__ == "__main__":
    print(report())
