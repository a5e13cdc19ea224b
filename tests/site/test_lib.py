"""Small helpers: tables for a terminal, page numbers, long lists."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from bayerboard.accounts.models import User
from bayerboard.lib import pages
from bayerboard.lib.console import table
from bayerboard.lib.pages import page_number
from tests import factories

pytestmark = pytest.mark.database


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


@pytest.mark.django_db
@pytest.mark.parametrize(("long", "counts"), [(2, 1), (3, 2)])
def test_only_a_long_list_is_counted_once_for_many_pages(
    monkeypatch: pytest.MonkeyPatch, long: int, counts: int
) -> None:
    monkeypatch.setattr(pages.LongListPaginator, "long", long)
    for name in ("ada", "grace"):
        factories.make_user(name)

    with CaptureQueriesContext(connection) as queries:
        numbers = [pages.LongListPaginator(User.objects.order_by("pk"), 1).count for _ in range(2)]

    assert numbers == [2, 2]
    assert len(queries) == counts


@pytest.mark.django_db
def test_every_filter_of_a_long_list_has_its_own_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages.LongListPaginator, "long", 1)
    for name in ("ada", "grace"):
        factories.make_user(name)

    people = User.objects.order_by("pk")

    assert [pages.LongListPaginator(people.filter(username=name), 1).count for name in ("ada", "nobody")] == [1, 0]
    assert pages.LongListPaginator(people, 1).count == 2
    assert pages.LongListPaginator(["one", "two"], 1).count == 2
