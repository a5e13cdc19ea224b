"""Adds a backup of the database and of every stored object to a folder, while the site goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat
from tqdm import tqdm

from bayerboard.operations.backup.making import forget_older, make_backup
from bayerboard.operations.backup.manifest import BackupError, BackupFolder
from bayerboard.operations.management.commands.up import count

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """`manage.py backup TARGET`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, help="a folder; backups in the same one share what does not change")
        parser.add_argument("--verify", action="store_true", help="read the objects of earlier backups again")
        parser.add_argument("--keep", type=count, metavar="N", help="afterwards, remove all but the latest N backups")

    def handle(self, *args: Any, target: Path, verify: bool, keep: int | None, **options: Any) -> None:
        folder = BackupFolder(target.resolve())
        manifest = make_backup(folder, verify=verify, over=lambda keys: tqdm(keys, unit="object", disable=None))
        self.stdout.write(
            f"{folder.find()}: {sum(manifest.counts.values())} rows and {len(manifest.objects)} objects, "
            f"{filesizeformat(manifest.size_bytes)} in all."
        )
        if keep:
            self.stdout.write(f"Older backups removed: {forget_older(folder, keep)}.")
        if manifest.missing:
            listed = "".join(f"\n  {key}" for key in manifest.missing[:20])
            raise BackupError(
                f"The backup is whole but for {len(manifest.missing)} objects that the storage does not have:{listed}\n"
                "Look for them in an older backup."
            )
