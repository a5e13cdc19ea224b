"""Reads a page as a browser would: its text, its links, and what a strict content security policy forbids."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

# Elements that stay open until their end tag; of the others ("void") there is none.
_SILENT = frozenset({"script", "style", "head"})


class Page(HTMLParser):
    """A parsed page.

    Attributes
    ----------
    text
        What a reader sees, in one line.
    links
        Where the page's links, forms, pictures and scripts lead.
    violations
        Inline scripts, styles and event handlers.
    """

    def __init__(self, response: Any) -> None:
        super().__init__()
        assert response["Content-Type"].startswith("text/html"), response["Content-Type"]
        self.html: str = response.content.decode()
        self.links: set[str] = set()
        self.violations: list[str] = []
        self.title = ""
        self._words: list[str] = []
        self._open: list[str] = []
        self.feed(self.html)
        self.close()
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links.update(value for name in ("href", "action", "src", "hx-get") if (value := values.get(name)))
        if tag == "style" or (tag == "script" and "src" not in values):
            self.violations.append(f"<{tag}>")
        self.violations += [
            f"<{tag} {name}={value!r}>"
            for name, value in attrs
            if name == "style"
            or name.startswith(("on", "hx-on"))
            or (value or "").strip().lower().startswith("javascript:")
        ]
        if tag in _SILENT or tag == "title":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data
        elif not self._open:
            self._words.append(data)
