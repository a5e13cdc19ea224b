"""``python -m baselines predict``."""

from __future__ import annotations

from pathlib import Path

from baselines.predict import predict
from baselines.terminal import Parser, ProgressLine, add_method, add_running, add_track, reporting_errors, running


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    with ProgressLine("predict") as progress:
        report = predict(
            options.method,
            options.track,
            options.input,
            options.output,
            progress,
            **running(options),
        )
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
