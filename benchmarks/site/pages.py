"""Pages at 100, 10,000 and 100,000 submissions of 1,000 teams: ``python -m benchmarks.site.pages``."""

from __future__ import annotations

import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.site.databases import DATABASES, database
from benchmarks.site.sites import Site

SIZES = (100, 10_000, 100_000)
REQUESTS = 200
WARM_UP = 20
# As benchmarks.site.fill makes them, and as the board shows them.
TEAMS, ROWS_PER_PAGE = 1000, 50


@dataclass(frozen=True)
class Page:
    """A page, and who asks for it."""

    label: str
    path: str
    reader: str
    # Addresses to ask for once each instead, for rows that the process has not shown before and so does not remember.
    unseen: tuple[str, ...] = ()


def pages(phase: str, phase_pk: int, size: int) -> list[Page]:
    track = phase.rpartition("/")[0]
    board, submissions = f"/challenges/{phase}/", "/admin/submissions/submission/"
    unseen = tuple(f"{board}?page={number}" for number in range(2, min(size, TEAMS) // ROWS_PER_PAGE + 1))
    first_time = Page(f"leaderboard, {len(unseen)} pages for the first time", board, "participant", unseen)
    return [
        *([first_time] if len(unseen) > 1 else []),
        Page("leaderboard, signed out", board, ""),
        Page("leaderboard, participant", board, "participant"),
        Page("leaderboard, page 10", f"{board}?page=10", "participant"),
        Page("track", f"/challenges/{track}/", "participant"),
        Page("my submissions", "/submissions/", "participant"),
        Page("organiser's list", submissions, "organiser"),
        Page("organiser's list, of a phase", f"{submissions}?phase={phase_pk}", "organiser"),
        Page("organiser's list, by score", f"{submissions}?phase={phase_pk}&o=-2", "organiser"),
        # Half of them: fill.py draws from 20 to 32.
        Page("organiser's list, of a range of scores", f"{submissions}?phase={phase_pk}&least=24&most=30", "organiser"),
    ]


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


def measure(kind: str, sizes: tuple[int, ...] = SIZES, requests: int = REQUESTS) -> list[str]:
    """Return the rows of the table for one kind of database."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder, database(kind) as url:
            site = Site(Path(folder), url)
            site.manage("migrate", "--verbosity", "0")
            filled = site.module("benchmarks.site.fill", str(size))
            cookies = {"": "", **{reader: filled[reader] for reader in ("participant", "organiser")}}
            with site.served() as server:
                for page in pages(filled["phase"], filled["phase_pk"], size):
                    queries = site.module("benchmarks.site.queries", cookies[page.reader], page.path)[page.path]
                    asked = [page.path] * WARM_UP + list(page.unseen or [page.path] * requests)
                    seconds = server.seconds(asked, cookies[page.reader])[WARM_UP:]
                    rows.append(
                        f"| {kind} | {page.label} | {size:,} | {1000 * median(seconds):.1f} ms "
                        f"| {1000 * p95(seconds):.1f} ms | {queries} |"
                    )
    return rows


def report(sizes: tuple[int, ...] = SIZES) -> str:
    head = ["| database | page | submissions | median | p95 | queries |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    return "\n".join([*head, *(row for kind in DATABASES for row in measure(kind, sizes))])


if __name__ == "__main__":
    print(report(tuple(map(int, sys.argv[1:])) or SIZES))
