"""Looks at settings, database, broker, workers, storage and mails, and says what to do where something is not well."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from bayerboard.lib.console import table
from bayerboard.operations.doctor import broker, database, mails, settings, storage, tracks
from bayerboard.operations.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from argparse import ArgumentParser

MARKS = {Level.OK: "✓ ok", Level.WARNING: "! warning", Level.PROBLEM: "✗ problem"}


class Command(BaseCommand):
    """`manage.py doctor`."""

    help = __doc__
    # It is there for the days on which something is wrong.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for a program to read")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with 0, or with 1 where there is a problem; a warning is none."""
        findings = [finding for area in (settings, database, broker, storage, mails, tracks) for finding in area.look()]
        problems = sum(finding.level is Level.PROBLEM for finding in findings)
        warnings = sum(finding.level is Level.WARNING for finding in findings)
        if options["json"]:
            self.stdout.write(json.dumps([finding.to_json() for finding in findings], indent=1))
        else:
            self.stdout.write(shown(findings))
            self.stdout.write(
                f"\n{problems} problems, {warnings} warnings." if problems + warnings else "\nAll is well."
            )
        if problems:
            sys.exit(1)


def shown(findings: list[Finding]) -> str:
    """Return the table, and below it what to do."""
    rows = [[MARKS[one.level], one.area, one.what, one.says] for one in findings]
    advice = [f"  {one.area}, {one.what}: {one.advice}" for one in findings if one.advice]
    parts = [table(["", "area", "what", "how it is"], rows)]
    return "\n".join([*parts, "\nWhat to do:", *advice] if advice else parts)
