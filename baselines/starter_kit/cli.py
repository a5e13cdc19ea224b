"""``python -m baselines kit``."""

from __future__ import annotations

import sys
from pathlib import Path

from baselines.errors import BaselineError
from baselines.starter_kit.build import build_kit
from baselines.terminal import Parser
from baselines.tracks import TRACKS


def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    try:
        size_bytes = build_kit(options.track, options.output, options.data)
    except (BaselineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {size_bytes / 1e6:.1f} MB")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m baselines kit",
        description="Write a track's starter kit: sample data, two notebooks and the code that they run, as one zip.",
    )
    parser.add_argument("--track", required=True, choices=TRACKS)
    parser.add_argument("--output", required=True, type=Path, metavar="ZIP", help="the kit to write")
    parser.add_argument("--data", type=Path, metavar="DIR", help="take the sample from here (default: synthetic)")
    return parser
