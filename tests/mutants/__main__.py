"""``python -m tests.mutants``: make mutants, or run the tests against each and write down which are killed.

A run that was stopped goes on with those that have no result yet.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.mutants.generate import Mutant, apply, locate, mutants_of
from tests.mutants.groups import BY_NAME, GROUPS

HERE = Path(__file__).parent
LIST, RESULTS = HERE / "mutants.json", HERE / "results.json"
# A test that hangs has noticed.
LIMIT_S = 900


def run(root: Path, mutant: Mutant) -> tuple[str, str]:
    """Return `killed` or `survived`, and the first test that failed. The file is put back whatever happens."""
    tests = [test for test in BY_NAME[mutant.group].tests if (root / test).exists()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not processes", *tests]
    path = os.pathsep.join([str(root / "platform"), str(root)])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "BAYERBOARD_DATA": str(root / "var" / "mutants")}
    before = apply(root, mutant)
    try:
        done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return "killed", "took too long"
    finally:
        (root / mutant.file).write_text(before, "utf-8")
    if done.returncode == 0:
        return "survived", ""
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if not failed:
        return "killed", f"pytest ended with {done.returncode}"
    return "killed", failed[0]


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
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout that is mutated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--make", action="store_true", help="write the list anew from --root")
    parser.add_argument("--label", default="after", help="the column of the results: before or after")
    parser.add_argument("--only", default="", help="one group")
    options = parser.parse_args()
    root = options.root.resolve()
    if options.make:
        made = [mutant.to_json() for group in GROUPS for mutant in mutants_of(root, group, options.seed)]
        LIST.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{len(made)} mutants in {LIST.name}")
        return
    listed = [Mutant(**item) for item in json.loads(LIST.read_text("utf-8"))]
    results: dict[str, list[dict[str, Any]]] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    rows = results.get(options.label, [])
    done = {tuple(row[name] for name in ("file", "function", "before", "after")) for row in rows}
    for mutant, note in resolve(root, listed, options.seed):
        is_done = (mutant.file, mutant.function, mutant.before, mutant.after) in done
        if not is_done and options.only in {"", mutant.group}:
            started = time.monotonic()
            outcome, by = run(root, mutant)
            rows.append({**mutant.to_json(), "note": note, "outcome": outcome, "by": by})
            print(
                f"{outcome:<9} {mutant.group:<10} {mutant.function} {time.monotonic() - started:.0f} s {by}", flush=True
            )
            results[options.label] = rows
            RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    killed = sum(row["outcome"] == "killed" for row in rows)
    print(f"{killed} of {len(rows)} killed")


if __name__ == "__main__":
    main()
