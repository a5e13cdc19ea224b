"""The prober's benchmark learns what its table says, and the table in the docs is one that it wrote."""

from __future__ import annotations

import re

import pytest

from benchmarks import prober
from benchmarks.prober_set import hidden_set, targets
from benchmarks.prober_strategies import UNROUNDED, Prober, learn_by_order

SEED, IMAGES = 1, 20


def found(which: int, decimals: int | None) -> tuple[float | None, float, int]:
    """Return the answer, the truth, and how many submissions it took."""
    hidden, target = hidden_set(SEED, IMAGES), targets(SEED)[which]
    answer = learn_by_order(hidden, target) if decimals is None else Prober(hidden, target, decimals, SEED).learn()
    return answer, hidden.mean(target), hidden.submissions


@pytest.mark.parametrize("which", [0, 1])
def test_an_unrounded_display_gives_the_value_away_at_once(which: int) -> None:
    answer, truth, submissions = found(which, UNROUNDED)
    assert answer == pytest.approx(truth, abs=0.05)
    assert submissions <= 5


@pytest.mark.parametrize("which", [0, 1])
def test_a_display_as_the_protocol_rounds_it_takes_more_and_gives_it_away_too(which: int) -> None:
    answer, truth, submissions = found(which, prober.DECIMALS["psnr"])
    assert answer == pytest.approx(truth, abs=max(0.01 * truth, 1))
    assert 5 < submissions <= prober.QUOTA_TOTAL


def test_the_order_by_unrounded_scores_gives_a_bit_for_each_submission() -> None:
    answer, truth, submissions = found(1, None)
    assert answer == pytest.approx(truth, abs=1)
    assert submissions <= 12


def test_a_prober_who_gave_up_counts_as_more_than_all_others() -> None:
    row = prober.Row("x", 20, "2 and 4 decimals", (30, None, 10))
    assert (row.quantile(0.5), row.quantile(0.9)) == (30, None)
    assert row.line() == "| x | 20 | 2 and 4 decimals | 30 | over 200 | 6 | 2 | 3 |"


def test_the_table_in_the_docs_has_the_rows_that_the_benchmark_writes() -> None:
    _, _, rest = prober.PAGE.read_text("utf-8").partition(prober.BEGIN)
    text, mark, _ = rest.partition(prober.END)
    assert mark
    about, blank, *lines = text.strip().splitlines()
    assert about.startswith("`python -m benchmarks.prober --write`: ")
    assert not blank
    assert tuple(lines[:2]) == prober.HEADER
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    named = [(target.name, display) for target in targets(0) for display in prober.displays()]
    assert {(row[0], row[2]) for row in cells} == set(named)
    assert all(re.fullmatch(r"\d+|over \d+", cell) for row in cells for cell in row[3:5])
