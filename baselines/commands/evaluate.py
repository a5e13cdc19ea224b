"""``python -m baselines evaluate``."""

from __future__ import annotations

import json
from pathlib import Path

from baselines.evaluate import evaluate
from baselines.terminal import Parser, ProgressLine, add_method, add_running, add_track, reporting_errors, running


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    with ProgressLine("predict") as progress:
        evaluation = evaluate(
            options.method,
            options.track,
            options.data,
            options.split,
            **running(options),
            on_progress=progress,
        )
    if options.json:
        print(json.dumps(evaluation.to_json()))
        return 0
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in evaluation.metrics.items())
    run = evaluation.prediction
    print(f"{options.method} on {options.track}, split {options.split}: {run.images} images, {metrics}")
    print(f"{1000 * run.runtime_s_per_image:.2f} ms per image, {run.device_name}")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m baselines evaluate",
        description="Predict a split of a data set and score it with the track's protocol.",
    )
    add_method(parser)
    add_track(parser)
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="folder of the data set")
    parser.add_argument("--split", default="val", metavar="NAME", help="split to score (default: val)")
    add_running(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser
