"""Addresses in mails. They come from the settings: a request's host is chosen by its sender."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings


def absolute(path: str) -> str:
    """Return the address of a page as the outside knows it."""
    return f"{settings.SITE_URL}{path}"


def site_name() -> str:
    """Return the host of the site, by which its mails name it."""
    return urlsplit(settings.SITE_URL).netloc
