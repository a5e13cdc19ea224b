"""Shared by the commands: a line of progress, common arguments, and usage errors with the status that we promise."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from baselines.catalogue import METHODS
from baselines.errors import BaselineError
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Parser(argparse.ArgumentParser):
    """An argument parser that exits 1 on wrong usage: 2 means a rejected submission elsewhere."""

    def error(self, message: str) -> NoReturn:
        """Show the usage and the mistake, and exit."""
        self.print_usage(sys.stderr)
        self.exit(1, f"error: {message}\n")


def reporting_errors(command: Callable[[list[str]], int]) -> Callable[[list[str]], int]:
    """Let a command end with status 1 and one line where something expected goes wrong."""

    @functools.wraps(command)
    def run(arguments: list[str]) -> int:
        try:
            return command(arguments)
        except (BaselineError, OSError) as error:
            sys.stderr.write(f"error: {error}\n")
            return 1

    return run


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


def add_method(parser: Parser) -> None:
    """Add the method's name, which the command itself checks: it says more than argparse would."""
    parser.add_argument("method", help=f"one of: {', '.join(method.name for method in METHODS)}")


def add_track(parser: Parser, *, required: bool = True) -> None:
    """Add ``--track``."""
    parser.add_argument("--track", required=required, choices=TRACKS)


def add_running(parser: Parser) -> None:
    """Add the options for weights and device."""
    parser.add_argument("--weights", type=Path, metavar="FILE", help="trained weights; by default those that ship")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to run")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="of convolutions")
    parser.add_argument("--batch", type=int, metavar="N", help="tiles at a time; halved where the memory is too small")


def running(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that `add_running` added."""
    return {name: getattr(options, name) for name in ("weights", "device", "precision", "batch")}
