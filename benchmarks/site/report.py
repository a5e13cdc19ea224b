"""Writes docs/growth.md: ``python -m benchmarks.site.report``, or ``make growth``."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report import machine
from benchmarks.site import browser_check, deadline, latency, pages, submitting, workers

TARGET = Path(__file__).resolve().parents[2] / "docs" / "growth.md"

SECTIONS = (
    (
        "Pages as submissions grow",
        "Each page 200 times, one request after the other over loopback, from gunicorn (two processes of eight "
        "threads), of a site with up to 1,000 teams; the browser's own work does not count. For comparison, Codabench "
        "on two cores with gunicorn and PostgreSQL, measured by the same kind of request in an earlier study: its "
        "leaderboard call took 43 ms at 100 entries, 169 ms (p95 446 ms) at 1,000 and 2,125 ms (p95 2,430 ms) at "
        "10,000, with 27 queries and no paging.",
        "python -m benchmarks.site.pages",
        pages.report,
    ),
    (
        "The check before the upload",
        "From the choice of the file to the verdict, on the page's own clock.",
        "python -m benchmarks.site.browser_check",
        browser_check.report,
    ),
    (
        "Submitting",
        "For comparison, Codabench's submission call alone, without the upload, took 28 ms, at 66 a second with 8 "
        "clients, in the study named above.",
        "python -m benchmarks.site.submitting",
        submitting.report,
    ),
    (
        "From the last byte to the rank",
        "A whole S7 test set, uploaded in parts as the page does it, until the page shows its score.",
        "python -m benchmarks.site.latency",
        latency.report,
    ),
    (
        "At the deadline",
        "Everybody uploads at once, and asks for the status every second until the score is there.",
        "python -m benchmarks.site.deadline",
        deadline.report,
    ),
    ("More workers", "A rescore by `manage.py rescore`.", "python -m benchmarks.site.workers", workers.report),
)


def main() -> None:
    parts = ["# Growth", "Written by `make growth`; no figure is typed by hand.", machine()]
    for title, text, command, report in SECTIONS:
        print(f"{title} …", flush=True)
        parts += [f"## {title}", text, f"`{command}`", report()]
    TARGET.write_text("\n\n".join(parts) + "\n", "utf-8")
    print(f"Wrote {TARGET}.")


if __name__ == "__main__":
    main()
