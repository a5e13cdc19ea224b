"""Page numbers in addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest


def page_number(request: HttpRequest) -> int:
    """Return `?page=` as a number; the first page for anything that is none."""
    raw = request.GET.get("page", "1")
    return max(1, int(raw)) if raw.isascii() and raw.isdigit() and len(raw) < 7 else 1
