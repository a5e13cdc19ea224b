"""Page numbers in addresses, and long lists in pages."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

if TYPE_CHECKING:
    from django.http import HttpRequest

LONG = 10_000
COUNTED_AGAIN_AFTER_S = 30


def page_number(request: HttpRequest) -> int:
    """Return `?page=` as a number; the first page for anything that is none."""
    raw = request.GET.get("page", "1")
    return max(1, int(raw)) if raw.isascii() and raw.isdigit() and len(raw) < 7 else 1


class LongListPaginator(Paginator):  # type: ignore[type-arg]
    """Counts a list of 10,000 rows or more at most twice a minute, in each process and for each filter.

    PostgreSQL walks through all rows to count them: of 100,000, that takes a fifth of the page. The rows shown are
    those of now; only the number of such a list may be half a minute old.
    """

    long = LONG

    @cached_property
    def count(self) -> int:
        if not isinstance(self.object_list, QuerySet):
            return super().count
        try:
            query = repr(self.object_list.order_by().query.sql_with_params())
        except EmptyResultSet:  # a filter that nothing can pass
            return 0
        key = "count-" + hashlib.sha256(query.encode()).hexdigest()
        known: int | None = cache.get(key)
        if known is None:
            known = super().count
            if known >= self.long:
                cache.set(key, known, COUNTED_AGAIN_AFTER_S)
        return known
