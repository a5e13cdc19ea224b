"""manage.py sweep: clears what uploads left behind, as beat does by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bayerboard.lib.storage import StorageUnavailable
from bayerboard.operations.sweep import sweep


class Command(BaseCommand):
    """One sweep, now."""

    help = (
        "Gives up uploads that were not finished in time, and removes their parts, archives that no submission refers "
        "to, and files that were cut short. Beat does this every few minutes; by hand it is needed only on further "
        "web machines whose disk is their own."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            swept = sweep()
        except StorageUnavailable as error:
            raise CommandError(f"The storage does not answer: {error}. Nothing is lost; try again later.") from error
        self.stdout.write(f"{swept}.")
