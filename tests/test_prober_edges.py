"""The prober of `benchmarks/prober_edges.py`, and its table in docs/organisers.md."""

from __future__ import annotations

import math
import re

import pytest

from benchmarks.prober_edges import (
    BEGIN,
    BLOCK_BOUND,
    DISPLAYS,
    END,
    GAIN_BOUND,
    HEAD,
    IMAGES,
    PAGE,
    BlockSecret,
    Display,
    GainSecret,
    estimate_block,
    estimate_gain,
    submissions_needed,
)

UNROUNDED = next(display for display in DISPLAYS if display.precision is None and not display.is_order)
SHOWN = DISPLAYS[0]


@pytest.mark.parametrize("seed", range(3))
def test_unrounded_scores_give_a_gain_away(seed: int) -> None:
    secret = GainSecret.draw(seed, images=3)
    assert estimate_gain(secret, UNROUNDED)[-1] == pytest.approx(secret.gain, rel=GAIN_BOUND)


@pytest.mark.parametrize("seed", range(3))
def test_three_unrounded_scores_give_a_block_away(seed: int) -> None:
    secret = BlockSecret.draw(seed, images=24)
    estimates = estimate_block(secret, UNROUNDED)
    assert len(estimates) == 3
    assert estimates[-1] == pytest.approx(secret.mean, abs=0.01)


def test_what_the_prober_guesses_at_first_is_not_the_answer() -> None:
    gain, block = GainSecret.draw(0, images=3), BlockSecret.draw(0, images=24)
    assert abs(1 - gain.gain) > GAIN_BOUND
    assert abs(block.guessed - block.mean) > BLOCK_BOUND


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: display.name)
def test_each_display_gives_a_block_away_in_the_end(display: Display) -> None:
    secret = BlockSecret.draw(0, images=24)
    assert estimate_block(secret, display)[-1] == pytest.approx(secret.mean, abs=BLOCK_BOUND)


def test_rounding_costs_submissions() -> None:
    secret = BlockSecret.draw(0, images=24)
    rounded, unrounded = (
        submissions_needed(estimate_block(secret, display), secret.mean, BLOCK_BOUND) for display in (SHOWN, UNROUNDED)
    )
    assert rounded > unrounded


@pytest.mark.parametrize(
    ("estimates", "needed"),
    [([1.0, 5.0, 1.0, 1.0], 3), ([1.0, 1.0], 1), ([1.0, 5.0], math.inf), ([math.nan, 1.0], 2)],
    ids=["once by luck", "at once", "never", "nothing known yet"],
)
def test_an_estimate_counts_once_it_stays(estimates: list[float], needed: float) -> None:
    assert submissions_needed(estimates, truth=1.0, bound=0.5) == needed


def test_the_page_has_the_table_that_the_benchmark_writes() -> None:
    text = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    assert cells[0] == HEAD
    assert [row[:2] for row in cells[2:]] == [[display.name, str(images)] for display in DISPLAYS for images in IMAGES]
