"""The page of the results: each mutant, and which test noticed it before and after."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Any

INTRO = """# Mutants

Each is one small edit of the source, made by `tests/mutants/generate.py` with a seed and kept in `mutants.json`. A
mutant is killed where a test fails that passes without it; all tests of the site, the workers and the ranking that run
the mutant's function are tried. `make mutants` fills the column *after*; the column *before* is of commit 52381d5, by
`python -m tests.mutants --root CHECKOUT --label before`. Where the code of a mutant is gone, another of the same group
stands in its place.

"""
HEAD = "| group | function | edit | before | after |\n|---|---|---|---|---|\n"
AROUND = 24


def page(results: dict[str, list[dict[str, Any]]], listed: int) -> str:
    """Return the whole page of the results, of so many mutants in the list."""
    columns = {label: {_key(row): row for row in results.get(label, [])} for label in ("before", "after")}
    lines = []
    for key in dict.fromkeys([*columns["before"], *columns["after"]]):
        before, after = columns["before"].get(key), columns["after"].get(key)
        group, function, old, new = key
        cells = [group, f"`{function}`", edit(old, new), _outcome(before), _outcome(after)]
        lines.append("| " + " | ".join(cells) + " |\n")
    totals = [_total(label, list(rows.values()), listed) for label, rows in columns.items() if rows]
    return INTRO + " ".join(totals) + "\n\n" + HEAD + "".join(lines)


def edit(before: str, after: str) -> str:
    """Return the difference, with a few characters around it."""
    before, after = (re.sub(r"\s+", " ", text).strip() for text in (before, after))
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    first = max(0, start - AROUND)
    shown = [text[first : len(text) - max(0, end - AROUND)] for text in (before, after)]
    return " → ".join(f"`{text}`".replace("|", "\\|") for text in shown)


def _common(one: str, other: str) -> int:
    """Return how many characters are the same from the first on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _key(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["group"], row["function"], row["before"], row["after"]


def _outcome(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    test = row["by"].rpartition("/")[2].replace("|", "\\|")
    outcome = "**survived**" if row["outcome"] == "survived" else f"killed: `{test}`"
    return outcome + (f" ({row['note']})" if row["note"] else "")


def _total(label: str, rows: list[dict[str, Any]], listed: int) -> str:
    killed = sum(row["outcome"] == "killed" for row in rows)
    left = f", {listed - len(rows)} not run" if len(rows) < listed else ""
    return f"{label.capitalize()}: {killed} of {listed} killed, {len(rows) - killed} survived{left}."
