"""Writes docs/growth.md: ``python -m benchmarks.site.report``, or ``make growth``."""

from __future__ import annotations

from benchmarks.report import DOCS, write_page
from benchmarks.site import browser_check, deadline, latency, pages, submitting, workers

SECTIONS = (
    (
        "Pages as submissions grow",
        "Each page 200 times, one request after the other over loopback, from gunicorn (two processes of eight "
        "threads), of a site with up to 1,000 teams; the browser's own work does not count. A process remembers the "
        "HTML of each row by all that the row shows; pages for the first time are the board's others, each asked for "
        "once. For comparison, Codabench on two cores with gunicorn and PostgreSQL, measured by the "
        "same kind of request in an earlier study: its leaderboard call took 43 ms at 100 entries, 169 ms (p95 446 ms) "
        "at 1,000 and 2,125 ms (p95 2,430 ms) at 10,000, with 27 queries and no paging.",
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


if __name__ == "__main__":
    write_page(DOCS / "growth.md", "make growth", SECTIONS)
