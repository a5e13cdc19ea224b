"""Creates a challenge from its YAML file, or brings it up to date; see docs/challenge-yaml.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from bayerboard.importing.advice import advice_on
from bayerboard.importing.importer import check_challenge, import_challenge
from bayerboard.importing.spec import SpecError, load_challenge_spec

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from bayerboard.importing.report import ImportReport
    from bayerboard.importing.spec import ChallengeSpec


class Command(BaseCommand):
    """`manage.py create_challenge FILE.yaml [--check]`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.yaml")
        parser.add_argument("--check", action="store_true", help="read and check everything, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            spec = load_challenge_spec(file)
            if options["check"]:
                check_challenge(spec, self._say)
                self._advise(spec)
                self.stdout.write(self.style.SUCCESS(f"{file} is right. Nothing was changed."))
            else:
                report = import_challenge(spec, self._say)
                self._advise(spec)
                self._show(report)
        except SpecError as error:
            for problem in error.problems:
                self.stderr.write(str(problem))
            mistakes = "1 mistake" if len(error.problems) == 1 else f"{len(error.problems)} mistakes"
            raise CommandError(f"{mistakes}. Nothing was changed.") from None

    def _say(self, line: str) -> None:
        self.stdout.write(f"reading    {line}")

    def _advise(self, spec: ChallengeSpec) -> None:
        for advice in advice_on(spec):
            self.stdout.write(self.style.WARNING(f"{'note':<10} {advice}"))

    def _show(self, report: ImportReport) -> None:
        for change in report.changes:
            line = f"{change.kind:<10} {change.subject}{': ' if change.detail else ''}{change.detail}"
            self.stdout.write(self.style.WARNING(line) if change.kind == "note" else line)
        counts = [f"{report.count(kind)} {kind}" for kind in ("created", "updated", "unchanged")]
        self.stdout.write(self.style.SUCCESS(f"{', '.join(counts)}." if report.is_change else "Nothing changed."))
