"""``python -m baselines data make`` and ``data degrade``."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentDefaultsHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.data.degrade import BITS, Degradation, write_degraded
from baselines.data.scenes import SPLITS
from baselines.data.synthetic import make_data, usable_cores
from baselines.errors import BaselineError
from baselines.submission import Readme
from baselines.terminal import Parser, ProgressLine
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from argparse import Namespace


def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (BaselineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return status


def _make(options: Namespace) -> int:
    with ProgressLine(f"{options.track} {options.split}: scene") as progress:
        summary = make_data(
            options.out,
            options.track,
            options.split,
            scenes=options.scenes,
            rows=options.rows,
            columns=options.cols,
            first_photo=options.first_photo,
            seed=options.seed,
            jobs=options.jobs,
            on_progress=progress,
        )
    if options.json:
        print(json.dumps(summary.to_json()))
    else:
        print(f"{summary.rgb}: {summary.tiles} tiles; their packed RAW is in {summary.raw}")
    return 0


def _degrade(options: Namespace) -> int:
    degradation = Degradation(options.shift, options.blur, options.gain, options.noise, options.quantise)
    readme = Readme(options.runtime, options.device, options.extra_data, options.description)
    with ProgressLine("degrade") as progress:
        images = write_degraded(
            options.reference,
            options.output,
            degradation,
            readme,
            seed=options.seed,
            broken=options.broken,
            on_progress=progress,
        )
    print(f"{options.output}: made from {images} references")
    return 0


def _parser() -> Parser:
    parser = Parser(prog="python -m baselines data", description="Synthetic data and degraded references.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_make(
        commands.add_parser(
            "make",
            help="make one split of a synthetic data set in the AIM 2022 layout",
            formatter_class=ArgumentDefaultsHelpFormatter,
        )
    )
    _add_degrade(
        commands.add_parser(
            "degrade",
            help="turn references into a submission zip of a chosen quality, for demos and load tests",
            formatter_class=ArgumentDefaultsHelpFormatter,
        )
    )
    return parser


def _add_make(make: Parser) -> None:
    make.set_defaults(run=_make)
    make.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the data set")
    make.add_argument("--track", required=True, choices=TRACKS, help="whose camera takes the photos")
    make.add_argument("--split", default="train", choices=SPLITS, help="split to make")
    make.add_argument("--scenes", type=int, default=4, metavar="N", help="photos to make")
    make.add_argument("--rows", type=int, default=2, metavar="N", help="rows of tiles per photo")
    make.add_argument("--cols", type=int, default=3, metavar="N", help="columns of tiles per photo")
    make.add_argument("--first-photo", type=int, default=0, metavar="K", help="number of the first photo")
    make.add_argument("--seed", type=int, default=0, metavar="S", help="seed of all that is random")
    make.add_argument("--jobs", type=int, default=usable_cores(), metavar="N", help="processes to use")
    make.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_degrade(degrade: Parser) -> None:
    degrade.set_defaults(run=_degrade)
    degrade.add_argument("--reference", required=True, type=Path, metavar="DIR", help="folder of .npy files")
    degrade.add_argument("--output", required=True, type=Path, metavar="ZIP", help="the submission to write")
    degrade.add_argument("--shift", type=float, default=0.0, metavar="PX", help="packed pixels, right and down")
    degrade.add_argument("--blur", type=float, default=0.0, metavar="SIGMA", help="in packed pixels")
    degrade.add_argument("--gain", type=float, default=1.0, metavar="F", help="factor on all levels")
    degrade.add_argument("--noise", type=float, default=0.0, metavar="SIGMA", help="in levels")
    degrade.add_argument("--quantise", type=int, default=BITS, metavar="BITS", help="bits to keep")
    degrade.add_argument("--broken", action="store_true", help="also make faults that a check must name")
    degrade.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the noise")
    degrade.add_argument("--runtime", type=float, default=1.0, metavar="S", help="declared seconds per image")
    degrade.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="declared device")
    degrade.add_argument("--extra-data", action="store_true", help="declare the use of extra data")
    degrade.add_argument("--description", default="degraded references", metavar="TEXT", help="of the method")
