"""Shared by the commands: parser, options, exit status, and output."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from scoring.files import write_atomically
from scoring.protocol import available_protocols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.problems import Problem

PROGRAM = "python -m scoring"

OK = 0
FAILED = 1
SUBMISSION_AT_FAULT = 2

_EXIT_STATUS = """\
exit status:
  0  all is well
  1  anything else: wrong arguments, a bad reference, a file that cannot be read or written
  2  the submission is at fault"""
# In place of a file: standard output.
_STDOUT = Path("-")


class UsageError(Exception):
    """The arguments make no sense together; the message says why."""


class CommandError(Exception):
    """The request cannot be carried out; the message says why."""


class _Parser(argparse.ArgumentParser):
    """Exits with 1 for a mistake in the arguments: argparse's 2 is for submissions here."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


def make_parser(program: str, description: str, examples: str = "") -> argparse.ArgumentParser:
    """Return a parser whose help reads like a manual page."""
    shown = f"examples:\n{examples.rstrip()}\n\n" if examples else ""
    return _Parser(
        prog=program,
        description=description,
        epilog=shown + _EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_protocol(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(available_protocols())
    text = f"how the track is scored: {names}, or an organiser’s own FILE.toml"
    parser.add_argument("--protocol", required=True, metavar="NAME", help=text)


def add_reference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reference", type=Path, required=True, metavar="DIR_OR_ZIP", help="the reference set")


def add_json(parser: argparse.ArgumentParser) -> None:
    text = "write the result to this file, too; “-” prints it instead of the table"
    parser.add_argument("--json", type=Path, metavar="OUT.json", help=text)


def is_for_people(options: argparse.Namespace) -> bool:
    """Return whether standard output is for people, and not taken by the JSON."""
    return bool(options.json != _STDOUT)


def write_json(options: argparse.Namespace, data: Any) -> None:
    if options.json is None:
        return
    to_stdout = options.json == _STDOUT
    # A console's encoding may lack letters; a file's is UTF-8.
    text = json.dumps(data, indent=1, ensure_ascii=to_stdout, allow_nan=False)
    if to_stdout:
        print(text)
    else:
        write_atomically(options.json, f"{text}\n".encode())


def print_problems(submission: str, errors: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    if errors:
        print(f"{submission} was rejected; errors: {len(errors)}.", file=sys.stderr)
    for kind, problems in (("error", errors), ("warning", warnings)):
        for found in problems:
            print(f"{kind}: {found.message}  [{found.code}]", file=sys.stderr)
            print(f"    {found.hint}", file=sys.stderr)
