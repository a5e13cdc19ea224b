"""``python -m baselines kit``."""

from __future__ import annotations

from pathlib import Path

from baselines.starter_kit.build import KIT_TRACKS, build_kit
from baselines.terminal import Parser, reporting_errors


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    size_bytes = build_kit(options.track, options.output, options.data)
    print(f"{options.output}: {size_bytes / 1e6:.1f} MB")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m baselines kit",
        description="Write a track's starter kit: sample data, two notebooks and the code that they run, as one zip.",
    )
    parser.add_argument("--track", required=True, choices=KIT_TRACKS)
    parser.add_argument("--output", required=True, type=Path, metavar="ZIP", help="the kit to write")
    parser.add_argument("--data", type=Path, metavar="DIR", help="take the sample from here (default: synthetic)")
    return parser
