"""The command line: ``python -m scoring COMMAND``; the commands are those of :mod:`scoring.commands`."""

from __future__ import annotations

import importlib
import io
import sys
from typing import TYPE_CHECKING

from scoring import __version__
from scoring.commands import COMMANDS
from scoring.commands.common import FAILED, PROGRAM, CommandError, UsageError, make_parser
from scoring.manifest import ManifestError
from scoring.problems import ReferenceInvalid
from scoring.protocol import ProtocolError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_DESCRIPTION = "Score, check, compare and look at submissions to camera-RAW challenges."
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status, except for mistakes in the arguments, which exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A console that lacks a quotation mark must not end the scoring.
        sys.stdout.reconfigure(errors="replace")
    arguments = sys.argv[1:] if arguments is None else arguments
    name = _parser().parse_args(arguments[:1]).command
    command = importlib.import_module(f"scoring.commands.{name}")
    parser = make_parser(f"{PROGRAM} {name}", command.DESCRIPTION, command.EXAMPLES)
    command.configure(parser)
    options = parser.parse_args(arguments[1:])
    try:
        status: int = command.run(options)
    except UsageError as error:
        parser.error(str(error))
    except (CommandError, ManifestError, ProtocolError, ReferenceInvalid, OSError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items())
    description = f"{_DESCRIPTION}\n\ncommands:\n{commands}\n\n“{PROGRAM} COMMAND --help” explains a command."
    parser = make_parser(PROGRAM, description)
    parser.add_argument("--version", action="version", version=f"Bayerboard {__version__}")
    parser.add_argument("command", choices=list(COMMANDS), metavar="COMMAND", help="one of the above")
    return parser
