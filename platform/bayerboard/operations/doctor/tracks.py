"""Tracks whose protocol is from before a rule that changed how they are ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError

from bayerboard.challenges.models import Track
from bayerboard.operations.doctor.finding import Area, Finding
from bayerboard.operations.readiness import unapplied_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = Area("tracks")


def look() -> Iterator[Finding]:
    """Look at the tracks of a site whose database answers: else another line says so."""
    try:
        if not unapplied_migrations():
            yield _declared()
    except DatabaseError:
        return


def _declared() -> Finding:
    """List the tracks with a formula of declared values that does not say so: their boards order by the others."""
    named = [
        f"{track.challenge.slug}/{track.slug}"
        for track in Track.objects.select_related("challenge").order_by("pk")
        if any(column.is_declared and not column.declared_operands for column in track.protocol.columns)
    ]
    if not named:
        return AREA.ok("declared values", "no formula uses any without saying so")
    return AREA.warning(
        "declared values",
        f"formulas of {', '.join(named)} use them",
        "These columns are marked as declared and take no part in the order: tell the organisers.",
    )
