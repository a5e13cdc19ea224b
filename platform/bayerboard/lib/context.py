"""Template variables of the site, for every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, bool]:
    """Say whether mail goes out: without it, nobody should be told to wait for a link."""
    return {"sends_mail": bool(settings.EMAIL_HOST)}
