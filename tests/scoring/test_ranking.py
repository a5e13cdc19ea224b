"""Competition ranks: a table of cases, and properties of all boards."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.ranking import Direction, Ranked, competition_ranks

Row = tuple[float | None, ...]
PSNR_SSIM: tuple[Direction, Direction] = ("desc", "desc")


def ranks(
    rows: list[Row], directions: tuple[Direction, ...] = PSNR_SSIM, *, tolerance: float = 1e-6
) -> list[tuple[int, int | None]]:
    return [(row.index, row.rank) for row in competition_ranks(rows, directions, tolerance)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(30.0, 0.8)], [(0, 1)]),
        ([(30.0, 0.8), (31.0, 0.7)], [(1, 1), (0, 2)]),
        ([(30.0, 0.8), (30.0, 0.9)], [(1, 1), (0, 2)]),
        ([(30.0, 0.8), (31.0, 0.8), (30.0, 0.8), (29.0, 0.8)], [(1, 1), (0, 2), (2, 2), (3, 4)]),
        ([(30.0, 0.8), (30.0000009, 0.7)], [(0, 1), (1, 2)]),
        ([(30.0, 0.8), (30.0000011, 0.7)], [(1, 1), (0, 2)]),
        ([(None, 0.9), (30.0, 0.8), (31.0, math.nan)], [(1, 1), (0, None), (2, None)]),
        ([(math.inf, 0.8), (30.0, 0.8), (math.inf, 0.8)], [(0, 1), (2, 1), (1, 3)]),
    ],
)
def test_rows_get_their_ranks(rows: list[Row], expected: list[tuple[int, int | None]]) -> None:
    assert ranks(rows) == expected


def test_small_values_may_be_better() -> None:
    assert ranks([(2.0,), (1.0,)], ("asc",)) == [(1, 1), (0, 2)]


def test_equality_does_not_creep_along_a_chain() -> None:
    assert ranks([(0.0,), (0.8,), (1.6,)], ("asc",), tolerance=1.0) == [(0, 1), (1, 1), (2, 3)]


def test_equal_rows_stay_in_the_order_of_the_input() -> None:
    assert ranks([(0.8,), (0.0,)], ("asc",), tolerance=1.0) == [(0, 1), (1, 1)]


def test_without_columns_all_are_equal() -> None:
    assert ranks([(), ()], ()) == [(0, 1), (1, 1)]


def test_a_baseline_stands_in_its_place_without_a_rank() -> None:
    board = competition_ranks([(29.0,), (31.0,), (30.0,)], ["desc"], 1e-6, [True, True, False])

    assert board == [Ranked(1, 1), Ranked(2, None), Ranked(0, 2)]


def test_a_baseline_stands_behind_its_equals() -> None:
    board = competition_ranks([(30.0, 0.8), (30.0, 0.8)], PSNR_SSIM, 1e-6, [False, True])

    assert board == [Ranked(1, 1), Ranked(0, None)]


def test_baselines_are_in_order_among_themselves() -> None:
    board = competition_ranks([(28.0,), (29.0,), (30.0,)], ["desc"], 1e-6, [False, False, True])

    assert board == [Ranked(2, 1), Ranked(1, None), Ranked(0, None)]


def test_a_board_may_hold_baselines_only() -> None:
    assert competition_ranks([(28.0,), (29.0,)], ["desc"], 1e-6, [False, False]) == [
        Ranked(1, None),
        Ranked(0, None),
    ]


def test_a_baseline_cannot_make_teams_unequal() -> None:
    # Were the baseline the first of their group, the second team would be outside its tolerance.
    board = competition_ranks([(0.0,), (0.9,), (1.5,)], ["asc"], 1.0, [False, True, True])

    assert {row.index: row.rank for row in board} == {0: None, 1: 1, 2: 1}


def test_a_row_must_have_a_value_for_each_column() -> None:
    with pytest.raises(ValueError, match="2 values"):
        ranks([(30.0,)])


def test_ranked_must_tell_of_each_row() -> None:
    with pytest.raises(ValueError, match="1 values for 2 rows"):
        competition_ranks([(1.0,), (2.0,)], ["desc"], 1e-6, [True])


def test_each_column_may_have_its_tolerance() -> None:
    rows = [(30.0, 0.80), (30.4, 0.81), (30.4, 0.79)]

    board = competition_ranks(rows, PSNR_SSIM, [0.5, 0.015])

    assert [(row.index, row.rank) for row in board] == [(0, 1), (1, 1), (2, 3)]


def test_there_must_be_a_tolerance_for_each_column() -> None:
    with pytest.raises(ValueError, match="1 tolerances for 2 columns"):
        competition_ranks([], PSNR_SSIM, [0.5])


@pytest.mark.parametrize("tolerance", [-1e-6, math.nan])
def test_a_tolerance_is_not_negative(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance"):
        ranks([], tolerance=tolerance)


values = st.one_of(st.none(), st.floats(width=16), st.integers(0, 3).map(float))
boards = st.lists(st.tuples(values, values), max_size=12)


@given(boards)
def test_every_row_is_on_the_board_once(rows: list[Row]) -> None:
    assert sorted(index for index, _ in ranks(rows, tolerance=0.5)) == list(range(len(rows)))


@given(boards)
def test_a_rank_is_one_more_than_the_number_of_those_before(rows: list[Row]) -> None:
    given_ranks = [rank for _, rank in ranks(rows, tolerance=0.5) if rank is not None]

    assert given_ranks == [1 + sum(other < rank for other in given_ranks) for rank in given_ranks]


@given(boards, st.data())
def test_the_order_of_the_input_changes_no_rank(rows: list[Row], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    shuffled = ranks([rows[index] for index in order], tolerance=0.5)

    assert {order[index]: rank for index, rank in shuffled} == dict(ranks(rows, tolerance=0.5))


@given(boards, boards)
def test_baselines_change_neither_rank_nor_order(teams: list[Row], baselines: list[Row]) -> None:
    flags = [True] * len(teams) + [False] * len(baselines)
    board = competition_ranks(teams + baselines, PSNR_SSIM, 0.5, flags)

    assert [row for row in board if row.index < len(teams)] == competition_ranks(teams, PSNR_SSIM, 0.5)
