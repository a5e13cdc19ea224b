"""``python -m baselines data make``, ``data inspect`` and ``data degrade``."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentDefaultsHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.data.degrade import BITS, Degradation, write_degraded
from baselines.data.inspect import inspect_split
from baselines.data.make import make_challenge_data, make_data, usable_cores
from baselines.data.scenes import SPLITS
from baselines.errors import BaselineError
from baselines.submission import Readme
from baselines.terminal import Parser, ProgressLine, reporting_errors
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from argparse import Namespace

    from baselines.data.make import DataSummary


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _make(options: Namespace) -> int:
    if options.split is None:
        return _make_whole(options)
    if options.photos is not None:
        raise BaselineError("--photos divides the photographs itself: leave out --split.")
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
    _print([summary], options)
    return 0


def _make_whole(options: Namespace) -> int:
    if options.first_photo:
        raise BaselineError("--first-photo is for one split: name it with --split.")
    with ProgressLine(f"{options.track}: scene") as progress:
        summaries = make_challenge_data(
            options.out,
            options.track,
            scenes=options.scenes,
            rows=options.rows,
            columns=options.cols,
            seed=options.seed,
            photographs=options.photos,
            jobs=options.jobs,
            on_progress=progress,
        )
    _print(summaries, options)
    return 0


def _print(summaries: list[DataSummary], options: Namespace) -> None:
    if options.json:
        values = [summary.to_json() for summary in summaries]
        print(json.dumps(values if options.split is None else values[0]))
        return
    for summary in summaries:
        print(f"{summary.rgb}: {summary.tiles} tiles; their packed RAW is in {summary.raw}")


def _inspect(options: Namespace) -> int:
    summary = inspect_split(options.data, TRACKS[options.track], options.split, options.sheet)
    print(json.dumps(summary.to_json()) if options.json else summary.text())
    if options.sheet is not None:
        print(f"{options.sheet}: the contact sheet", file=sys.stderr)
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
            help="make a synthetic data set in the layout of AIM 2022 or UltraISP, or one split of it",
            formatter_class=ArgumentDefaultsHelpFormatter,
        )
    )
    _add_inspect(
        commands.add_parser(
            "inspect",
            help="count a split's pairs, tell their shapes and levels, and draw a contact sheet",
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
    make.add_argument("--split", choices=SPLITS, help="one split to make; without it, train, val and test")
    make.add_argument(
        "--scenes", type=int, default=12, metavar="N", help="photos to make (of a whole set: to train on)"
    )
    make.add_argument(
        "--photos", type=Path, metavar="FOLDER", help="photographs to use in the place of composed scenes"
    )
    make.add_argument("--rows", type=int, default=2, metavar="N", help="rows of tiles per photo")
    make.add_argument("--cols", type=int, default=3, metavar="N", help="columns of tiles per photo")
    make.add_argument("--first-photo", type=int, default=0, metavar="K", help="number of the first photo")
    make.add_argument("--seed", type=int, default=0, metavar="S", help="seed of all that is random")
    make.add_argument("--jobs", type=int, default=usable_cores(), metavar="N", help="processes to use")
    make.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_inspect(inspect: Parser) -> None:
    inspect.set_defaults(run=_inspect)
    inspect.add_argument("--data", required=True, type=Path, metavar="DIR", help="folder of the data set")
    inspect.add_argument("--track", required=True, choices=TRACKS, help="which track's data it is")
    inspect.add_argument("--split", default="train", metavar="NAME", help="split to look at")
    inspect.add_argument("--sheet", type=Path, metavar="PNG", help="where to draw a contact sheet")
    inspect.add_argument("--json", action="store_true", help="print the summary as JSON")


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
