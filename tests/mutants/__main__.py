"""``python -m tests.mutants``: make mutants, or run the tests against each and write down which are killed.

A run that was stopped goes on with those that have no result yet.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.mutants.generate import Mutant, locate, mutants_of
from tests.mutants.groups import GROUPS
from tests.mutants.report import page
from tests.mutants.scratch import Scratch

HERE = Path(__file__).parent
LIST, RESULTS, PAGE = HERE / "mutants.json", HERE / "results.json", HERE / "results.md"


def resolve(root: Path, listed: list[Mutant], seed: int) -> list[tuple[Mutant, str]]:
    """Return each listed mutant where it stands in `root`; of one that is gone, another of the same group."""
    resolved: list[tuple[Mutant, str]] = []
    for mutant in listed:
        found = locate(root, mutant)
        if found is not None:
            resolved.append((found, "" if found.file == mutant.file else "moved"))
    known = {mutant for mutant, _ in resolved}
    for group in GROUPS:
        missing = sum(m.group == group.name for m in listed) - sum(m.group == group.name for m in known)
        fresh = [mutant for mutant in mutants_of(root, group, seed + 1) if mutant not in known]
        resolved += [(mutant, "in place of one that is gone") for mutant in fresh[:missing]]
    return resolved


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout of which a copy is mutated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--make", action="store_true", help="write the list anew from --root")
    parser.add_argument("--locate", action="store_true", help="say where each mutant of the list stands in --root")
    parser.add_argument("--label", default="after", help="the column of the results: before or after")
    parser.add_argument("--only", default="", help="one group")
    parser.add_argument("--survivors", action="store_true", help="again those that survived under this label")
    parser.add_argument("--measured", type=Path, help="a file that keeps which test runs what, for the next run")
    parser.add_argument("--processes", type=int, default=2, help="for the one run of the suite that measures")
    options = parser.parse_args()
    root = options.root.resolve()
    if options.make:
        made = [mutant.to_json() for group in GROUPS for mutant in mutants_of(root, group, options.seed)]
        LIST.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{len(made)} mutants in {LIST.name}")
        return
    listed = [Mutant(**item) for item in json.loads(LIST.read_text("utf-8"))]
    if options.locate:
        for mutant in listed:
            found = locate(root, mutant)
            print(f"{mutant.group:<10} {mutant.function:<24} {found.file if found else 'gone'}")
        return
    known = {_identity(row): row["outcome"] for row in _results().get(options.label, [])}
    wanted = "survived" if options.survivors else None
    chosen = [
        (mutant, note)
        for mutant, note in resolve(root, listed, options.seed)
        if options.only in {"", mutant.group} and known.get(_identity(mutant.to_json())) == wanted
    ]
    with tempfile.TemporaryDirectory(prefix="bayerboard-mutants-") as folder:
        scratch = Scratch.copy_of(root, Path(folder))
        if options.measured and options.measured.exists():
            scratch.load(options.measured)
        else:
            scratch.measure(options.processes)
            if options.measured:
                scratch.save(options.measured)
        run_all(scratch, chosen, options.label)


def run_all(scratch: Scratch, chosen: list[tuple[Mutant, str]], label: str) -> None:
    """Run the tests against each mutant, and write down its result at once."""
    print(f"{len(scratch.runs)} tests run the mutated files; failing without a mutant: {sorted(scratch.failing)}")
    killed = 0
    for mutant, note in chosen:
        started = time.monotonic()
        outcome, by = scratch.run(mutant)
        killed += outcome == "killed"
        _record(label, {**mutant.to_json(), "note": note, "outcome": outcome, "by": by})
        print(f"{outcome:<9} {mutant.group:<10} {mutant.function} {time.monotonic() - started:.0f} s {by}", flush=True)
    print(f"{killed} of {len(chosen)} killed")


def _identity(row: dict[str, Any]) -> tuple[str, str, str, str]:
    """Tell a mutant from others, wherever its code stands."""
    return row["group"], row["function"], row["before"], row["after"]


def _results() -> dict[str, list[dict[str, Any]]]:
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}


def _record(label: str, row: dict[str, Any]) -> None:
    """Put a mutant's row in the place of its former one, and write the page anew."""
    results = _results()
    rows = results.setdefault(label, [])
    known = [_identity(old) for old in rows]
    if _identity(row) in known:
        rows[known.index(_identity(row))] = row
    else:
        rows.append(row)
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(results, len(json.loads(LIST.read_text("utf-8")))), "utf-8")


if __name__ == "__main__":
    main()
