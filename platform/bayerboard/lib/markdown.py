"""Renders organisers' Markdown. Raw HTML is shown as text, and links with odd schemes are not links."""

from __future__ import annotations

from functools import cache

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt


@cache
def _renderer() -> MarkdownIt:
    return MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False})


def render_markdown(text: str) -> SafeString:
    """Return HTML that is safe to show whatever the text holds."""
    html = str(_renderer().render(text))
    return mark_safe(html)  # noqa: S308 - the renderer escapes HTML and refuses script links
