"""The long form: ``make chaos``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import DATABASES, STORES, long_plan
from tests.chaos.report import record, section
from tests.chaos.storm import storm


def main() -> int:
    """Return 1 where anything was lost, stuck, counted twice or scored wrongly."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--submissions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="put the figures into docs/reliability.md")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    options = parser.parse_args()
    sections: list[str] = []
    faults: list[str] = []
    for database in options.databases:
        for store in options.stores:
            plan = long_plan(database, store, options.seed, options.submissions)
            report(f"{database}, {store}: {plan.submissions} submissions, {len(plan.kills)} kills …")
            with tempfile.TemporaryDirectory(prefix="bayerboard-chaos-", ignore_cleanup_errors=True) as folder:
                outcome = storm(plan, Path(folder))
            command = f"make chaos SUBMISSIONS={plan.submissions} SEED={plan.seed} DATABASES={database} STORES={store}"
            sections.append(section(outcome, command))
            faults += outcome.faults
            report("\n".join([sections[-1], *outcome.faults]))
    if options.record:
        record(sections)
    return 1 if faults else 0


def report(text: str) -> None:
    """Print at once: a storm takes minutes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
