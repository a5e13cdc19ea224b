"""Pages at 100, 10,000 and 100,000 submissions of 1,000 teams: ``python -m benchmarks.site.pages``."""

from __future__ import annotations

import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.site.databases import DATABASES, database
from benchmarks.site.sites import Server, Site

SIZES = (100, 10_000, 100_000)
REQUESTS = 200
WARM_UP = 20


@dataclass(frozen=True)
class Page:
    """A page, and who asks for it."""

    label: str
    path: str
    reader: str


def pages(phase: str) -> list[Page]:
    track = phase.rpartition("/")[0]
    return [
        Page("leaderboard, signed out", f"/challenges/{phase}/", ""),
        Page("leaderboard, participant", f"/challenges/{phase}/", "participant"),
        Page("leaderboard, page 10", f"/challenges/{phase}/?page=10", "participant"),
        Page("track", f"/challenges/{track}/", "participant"),
        Page("my submissions", "/submissions/", "participant"),
        Page("organiser's list", "/admin/submissions/submission/", "organiser"),
    ]


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


def measure(kind: str, sizes: tuple[int, ...] = SIZES, requests: int = REQUESTS) -> list[str]:
    """The rows of the table for one kind of database."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder, database(kind) as url:
            site = Site(Path(folder), url)
            site.manage("migrate", "--verbosity", "0")
            filled = site.module("benchmarks.site.fill", str(size))
            cookies = {"": "", **{reader: filled[reader] for reader in ("participant", "organiser")}}
            with site.served() as server:
                for page in pages(filled["phase"]):
                    queries = site.module("benchmarks.site.queries", cookies[page.reader], page.path)[page.path]
                    seconds = _seconds(server, page.path, cookies[page.reader], requests)
                    rows.append(
                        f"| {kind} | {page.label} | {size:,} | {1000 * median(seconds):.1f} ms "
                        f"| {1000 * p95(seconds):.1f} ms | {queries} |"
                    )
    return rows


def _seconds(server: Server, path: str, cookie: str, requests: int) -> list[float]:
    server.seconds(path, cookie, WARM_UP)
    return server.seconds(path, cookie, requests)


def report(sizes: tuple[int, ...] = SIZES) -> str:
    head = ["| database | page | submissions | median | p95 | queries |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    return "\n".join([*head, *(row for kind in DATABASES for row in measure(kind, sizes))])


if __name__ == "__main__":
    print(report(tuple(map(int, sys.argv[1:])) or SIZES))
