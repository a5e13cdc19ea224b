"""The making of mutants, and finding them again once their code has moved."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.mutants.__main__ import resolve
from tests.mutants.generate import Mutant, apply, candidates, edits, edits_of_numbers, locate, mutants_of
from tests.mutants.groups import Group
from tests.mutants.report import edit, page
from tests.mutants.scratch import Scratch, lines_of_function

if TYPE_CHECKING:
    from pathlib import Path

FILE = "platform/quotas.py"
SOURCE = '''"""Counts."""


def left(used: int, total: int, *, closed: bool) -> int:
    """Return how many are left, not how many were used."""
    if closed or used > total:
        return 0
    return total - used


def of_team(rows, team):
    logger.info("counting of %s", team)
    return rows.filter(team=team, closed=False)
'''
GROUP = Group("quotas", (FILE,), ("tests/site/test_quota.py",), mutants=4, mutants_of_numbers=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "platform").mkdir()
    (tmp_path / "scoring").mkdir()
    (tmp_path / FILE).write_text(SOURCE, "utf-8")
    return tmp_path


def every(root: Path) -> list[Mutant]:
    return [mutant for kind in (edits, edits_of_numbers) for mutant in candidates(root, FILE, "quotas", kind)]


def test_each_edit_is_made(root: Path) -> None:
    made = {mutant.after.strip() for mutant in every(root)}

    assert made == {
        "if closed and used > total:",
        "if closed or used >= total:",
        "return 1",
        "return total + used",
        "return rows.exclude(team=team, closed=False)",
        "return rows.filter(closed=False)",
        "return rows.filter(team=team, )",
        "return rows.filter(team=team, closed=True)",
    }


def test_each_mutant_differs_and_is_python(root: Path) -> None:
    for mutant in every(root):
        before = apply(root, mutant)
        changed = (root / FILE).read_text("utf-8")
        (root / FILE).write_text(before, "utf-8")
        assert changed != before == SOURCE
        ast.parse(changed)


def test_a_seed_makes_the_same_mutants_each_time(root: Path) -> None:
    assert mutants_of(root, GROUP, 1) == mutants_of(root, GROUP, 1)
    assert len(mutants_of(root, GROUP, 1)) == 5


def test_another_seed_makes_others(root: Path) -> None:
    assert any(mutants_of(root, GROUP, 1) != mutants_of(root, GROUP, seed) for seed in range(2, 9))


def test_a_mutant_is_found_where_its_code_went(root: Path) -> None:
    mutant = every(root)[0]
    (root / FILE).rename(root / "platform" / "moved.py")

    found = locate(root, mutant)

    assert found == Mutant("quotas", "platform/moved.py", mutant.function, mutant.before, mutant.after)


def test_a_line_in_another_function_is_not_the_mutants(root: Path) -> None:
    mutant = every(root)[0]
    (root / FILE).write_text(SOURCE.replace("def left", "def right"), "utf-8")

    assert locate(root, mutant) is None


def test_another_of_its_group_stands_in_for_a_mutant_that_is_gone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.mutants.__main__.GROUPS", (GROUP,))
    gone = Mutant("quotas", FILE, "left", "    return used", "    return total")

    ((instead, note),) = resolve(root, [gone], seed=1)

    assert note == "in place of one that is gone"
    assert instead in mutants_of(root, GROUP, 2)


def test_code_that_is_not_there_once_is_not_edited(root: Path) -> None:
    with pytest.raises(ValueError, match="once"):
        apply(root, Mutant("quotas", FILE, "left", "    return used", "    return total"))


def test_the_lines_of_a_mutants_function_are_known(root: Path) -> None:
    mutant = next(mutant for mutant in every(root) if "total + used" in mutant.after)

    assert lines_of_function(root, mutant) == range(5, 9)


def test_the_tests_that_run_a_function_are_chosen_likely_ones_first(root: Path) -> None:
    mutant = next(mutant for mutant in every(root) if "total + used" in mutant.after)
    other, likely, failing, elsewhere = (
        f"tests/site/{name}" for name in ("test_a.py::a", "test_quota.py::q", "test_a.py::f", "test_a.py::e")
    )
    runs = {other: {(FILE, 8)}, likely: {(FILE, 6)}, failing: {(FILE, 8)}, elsewhere: {(FILE, 14)}}

    assert Scratch(root, runs, frozenset({failing})).tests_of(mutant) == [likely, other]


def test_the_page_shows_both_columns() -> None:
    row = {"group": "quotas", "function": "left", "before": "    a > b", "after": "    a >= b", "note": ""}
    before = {**row, "outcome": "killed", "by": "tests/site/test_quota.py::test_left"}
    after = {**row, "outcome": "survived", "by": ""}

    text = page({"before": [before], "after": [after]}, listed=2)

    assert "| quotas | `left` | `a > b` → `a >= b` | killed: `test_quota.py::test_left` | **survived** |" in text
    assert "Before: 1 of 2 killed, 0 survived, 1 not run. After: 0 of 2 killed, 1 survived, 1 not run." in text


def test_a_long_edit_is_cut_around_the_difference() -> None:
    text = "x" * 60
    assert edit(f"{text} == {text}", f"{text} != {text}") == f"`{'x' * 23} == {'x' * 22}` → `{'x' * 23} != {'x' * 22}`"
