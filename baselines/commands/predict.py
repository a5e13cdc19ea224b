"""``python -m baselines predict``."""

from __future__ import annotations

import sys
from pathlib import Path

from baselines.errors import BaselineError
from baselines.predict import predict
from baselines.terminal import Parser, ProgressLine, add_method, add_running, add_track


def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    try:
        with ProgressLine("predict") as progress:
            report = predict(
                options.method,
                options.track,
                options.input,
                options.output,
                progress,
                weights=options.weights,
                device=options.device,
                precision=options.precision,
                batch=options.batch,
            )
    except (BaselineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    runtime = f"{1000 * report.runtime_s_per_image:.2f} ms each on the {report.device.upper()}"
    print(f"{options.output}: {report.images} images, {runtime}")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m baselines predict",
        description="Run a baseline over a track's tiles and write a submission zip.",
    )
    add_method(parser)
    add_track(parser)
    parser.add_argument(
        "--input", required=True, type=Path, metavar="DIR", help="folder of .jpg (mai22: .png), or a zip of them"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="ZIP", help="the submission to write")
    add_running(parser)
    return parser
