"""Small helpers: Markdown, tables for a terminal, page numbers."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from bayerboard.lib.console import table
from bayerboard.lib.pages import page_number


def test_a_table_is_as_wide_as_its_cells() -> None:
    text = table(["team", "PSNR"], [["Bayer Street", "31.86"], ["A", "9.00"]], right={1})

    assert text.splitlines() == [
        "team           PSNR",
        "────────────  ─────",
        "Bayer Street  31.86",
        "A              9.00",
    ]


def test_a_table_without_rows() -> None:
    assert table(["a", "bc"], []).splitlines() == ["a  bc", "─  ──"]


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises((IndexError, ValueError)):
        table(["a", "b"], [["only one"]])


@pytest.mark.parametrize(
    ("query", "number"),
    [("", 1), ("?page=3", 3), ("?page=0", 1), ("?page=-2", 1), ("?page=x", 1), ("?page=999999", 999999)],
)
def test_page_numbers(query: str, number: int) -> None:
    assert page_number(RequestFactory().get(f"/{query}")) == number
