"""What the commands share: a line of progress, and usage errors with the status that we promise."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import TracebackType


class Parser(argparse.ArgumentParser):
    """An argument parser that exits 1 on wrong usage: 2 means a rejected submission elsewhere."""

    def error(self, message: str) -> NoReturn:
        """Show the usage and the mistake, and exit."""
        self.print_usage(sys.stderr)
        self.exit(1, f"error: {message}\n")


class ProgressLine:
    """Shows ``label done/total``: in place on a terminal, and only the last one in a log."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._text = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __call__(self, done: int, total: int) -> None:
        self._text = f"{self._label} {done}/{total}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{self._text}")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._text:
            sys.stderr.write("\n" if sys.stderr.isatty() else f"{self._text}\n")
