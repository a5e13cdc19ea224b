"""`manage.py up`: start Bayerboard on this machine and keep it running."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from bayerboard.operations.stack import Stack, report_on_stdout


def count(text: str) -> int:
    """Read a whole number of at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"takes a whole number of at least 1, not {text!r}")
    return int(text)


class Command(BaseCommand):
    """Start broker, site, workers and beat, restart what dies, stop all of it in order."""

    help = "Start Bayerboard on this machine: broker, site, workers and beat. Ctrl-C stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="(default: %(default)s)")
        parser.add_argument("--web-workers", type=count, default=2, metavar="N", help="(default: %(default)s)")
        parser.add_argument("--web-threads", type=count, default=8, metavar="N", help="each (default: %(default)s)")
        parser.add_argument("--score-workers", type=count, metavar="N", help="(default: one per core)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal; exit status 0 after an orderly stop, 1 where it could not start."""
        names = ("bind", "web_workers", "web_threads", "score_workers")
        try:
            with Stack(**{name: options[name] for name in names}) as stack:
                stack.wait_until_ready()
                stack.report(f"Bayerboard is ready at {stack.url}  (Ctrl-C stops it)")
                stack.wait_for_interrupt()
        except KeyboardInterrupt:
            report_on_stdout("Stopped.")
