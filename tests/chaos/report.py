"""The figures of a storm, and the page that keeps them."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scoring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.reaper import Death
    from tests.chaos.storm import Outcome
    from tests.e2e.running import Row

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- what make chaos saw -->", "<!-- end -->"
DATABASES = {"sqlite": "SQLite, the embedded broker", "postgres": "PostgreSQL, Valkey by URL"}
STORES = {"disk": "local disk", "s3": "S3 (rclone)"}


def title(outcome: Outcome) -> str:
    return f"{DATABASES[outcome.plan.database]}, {STORES[outcome.plan.store]}"


def seconds(moment: Any) -> float:
    """Return a moment as the database gives it, on the clock that `time.time` has."""
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return float((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def recovery_s(death: Death, rows: Sequence[Row]) -> float | None:
    """Return the time from a death until a job that was claimed after it is scored; None without such a job."""
    spans = [(seconds(row["started_at"]), seconds(row["finished_at"])) for row in rows if row["finished_at"]]
    ends = [finished for started, finished in spans if started > death.at_s]
    return min(ends) - death.at_s if ends else None


def table(outcome: Outcome) -> list[str]:
    """Return the lines of the table of what died."""
    lines = ["| what died | times | longest until a job claimed after it was scored |", "|---|---:|---:|"]
    for kill in sorted({death.kill for death in outcome.deaths}):
        deaths = [death for death in outcome.deaths if death.kill is kill]
        lines.append(f"| {kill} | {len(deaths)} | {longest(outcome, deaths)} |")
    return [*lines, f"| **all** | **{len(outcome.deaths)}** | **{longest(outcome, outcome.deaths)}** |"]


def longest(outcome: Outcome, deaths: Sequence[Death]) -> str:
    times = [took_s for death in deaths if (took_s := recovery_s(death, outcome.rows)) is not None]
    return f"{max(times):.1f} s" if times else "–"


def section(outcome: Outcome, command: str) -> str:
    """Write a storm as a section of the page."""
    sent_at = {one.submission: one.at_s for one in outcome.acknowledged}
    waits = [seconds(row["finished_at"]) - sent_at[row["submission"]] for row in outcome.rows if row["finished_at"]]
    attempts = sum(row["attempts"] or 0 for row in outcome.rows)
    n = len(outcome.acknowledged)
    in_parts = sum(one.job.in_parts for one in outcome.acknowledged)
    return "\n".join(
        [
            f"### {title(outcome)}",
            "",
            f"`{command}` on {datetime.now(UTC):%Y-%m-%d}: {about_machine()}",
            "",
            f"* {n} submissions acknowledged after {outcome.requests} requests; {outcome.refusals} beyond the quotas, "
            f"all refused; {len(outcome.deaths)} kills in {outcome.duration_s:.0f} s.",
            f"* {in_parts} of the archives came in parts, the others within the form. {begun_anew(outcome)}",
            f"* **{len(outcome.faults) or 'Nothing'} lost, stuck, counted twice or scored wrongly.** The {n} "
            f"evaluations took {attempts} attempts.",
            f"* The longest that the site did not answer: {outcome.longest_outage_s:.1f} s. The longest from an "
            f"acknowledgement to its score: {max(waits, default=0):.1f} s.",
            "",
            *table(outcome),
        ]
    )


def begun_anew(outcome: Outcome) -> str:
    if outcome.begun_anew:
        return f"Of half uploads the storage lost {outcome.begun_anew}, which the sender began anew."
    return "The storage lost no half upload."


def about_machine() -> str:
    return (
        f"Bayerboard {scoring.__version__}, Python {platform.python_version()}, {len(os.sched_getaffinity(0))} cores, "
        f"load of the machine at the end {os.getloadavg()[0]:.1f}."
    )


def record(sections: Sequence[str]) -> None:
    """Put these sections into the page; those of other storms stay."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    old, _, after = rest.partition(END)
    pieces = [piece.strip() for piece in re.split(r"^(?=### )", old, flags=re.MULTILINE)]
    kept = {piece.splitlines()[0]: piece for piece in [*pieces, *sections] if piece.startswith("### ")}
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(kept.values()) + f"\n\n{END}{after}")
