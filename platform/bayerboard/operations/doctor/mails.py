"""Mails that wait too long, or did not go out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from bayerboard.mails.models import Mail, State
from bayerboard.operations.doctor.finding import Area, Finding
from bayerboard.operations.readiness import unapplied_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = Area("mails")
# Beat looks every minute; the waits between tries add up to an hour.
PATIENCE = timedelta(minutes=15)
RECENT = timedelta(days=1)


def look() -> Iterator[Finding]:
    """Look at the mails of a site that sends any, and whose database answers: else another line says so."""
    if not settings.EMAIL_HOST:
        return
    try:
        if unapplied_migrations():
            return
        yield _waiting()
        yield _failed()
    except DatabaseError:
        return


def _waiting() -> Finding:
    late = Mail.objects.filter(state=State.PENDING, created_at__lt=timezone.now() - PATIENCE).count()
    if not late:
        return AREA.ok("waiting", "none for long")
    return AREA.warning(
        "waiting",
        f"{late} since {PATIENCE.seconds // 60} minutes or more",
        "Look for `mail` in the log of the worker for `default`; look at EMAIL_HOST, EMAIL_PORT and EMAIL_USE_TLS.",
    )


def _failed() -> Finding:
    failed = Mail.objects.filter(state=State.FAILED, created_at__gt=timezone.now() - RECENT).count()
    if not failed:
        return AREA.ok("failed", "none since yesterday")
    return AREA.warning("failed", f"{failed} since yesterday", "Mails in the admin shows to whom.")
