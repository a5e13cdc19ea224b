"""Restores a backup into an empty site, and checks that all of it is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from bayerboard.operations.backup.manifest import BackupFolder
from bayerboard.operations.backup.restoring import restore_backup

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """`manage.py restore SOURCE`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, help="the folder that `manage.py backup` wrote to")
        parser.add_argument("--backup", default="", metavar="NAME", help="one in SOURCE/backups (default: the latest)")

    def handle(self, *args: Any, source: Path, backup: str, **options: Any) -> None:
        folder = BackupFolder(source.resolve())
        chosen = folder.find(backup)
        manifest = restore_backup(folder, chosen, over=lambda items: tqdm(items, unit="object", disable=None))
        self.stdout.write(
            f"Restored {chosen.name}, made by Bayerboard {manifest.bayerboard}: {sum(manifest.counts.values())} rows "
            f"and {len(manifest.objects)} objects, all as the manifest says."
        )
        if manifest.missing:
            self.stderr.write(f"The backup lacked {len(manifest.missing)} objects when it was made; see its manifest.")
