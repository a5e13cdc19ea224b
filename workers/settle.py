"""Finds the phases that are over, or open again, and chooses their standings anew."""

from __future__ import annotations

from celery import shared_task

from bayerboard.leaderboards import settling


@shared_task(name="workers.settle.settle_phases")
def settle_phases() -> None:
    """Settle every phase."""
    settling.settle_phases()
