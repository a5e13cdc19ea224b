"""Reads the site's pages as a person does: their words, and the rows of their tables."""

from __future__ import annotations

from html.parser import HTMLParser


class _Reader(HTMLParser):
    """Collects the text of a page's main part, and of each table's rows."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.rows: list[list[list[str]]] = []
        self._in_main = False
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_main = self._in_main or tag == "main"
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append([])
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_main = self._in_main and tag != "main"
        self._in_cell = self._in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._in_main:
            self.words += data.split()
            if self._in_cell:
                self.rows[-1][-1] += data.split()


def text_of(html: str) -> str:
    """Return the words of the page's main part, in one line."""
    reader = _Reader()
    reader.feed(html)
    return " ".join(reader.words)


def rows_of(html: str) -> list[list[str]]:
    """Return the text of every cell of every table, heads included."""
    reader = _Reader()
    reader.feed(html)
    return [[" ".join(cell) for cell in row] for row in reader.rows]


def board_of(html: str) -> list[tuple[str, str]]:
    """Return rank and team of every row of a leaderboard page, from the top."""
    return [(row[0], row[1]) for row in rows_of(html) if row[0] != "#"]
