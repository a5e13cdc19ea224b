"""``python -m baselines export``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.catalogue import get_method
from baselines.errors import BaselineError
from baselines.predict import check_track, load_learning
from baselines.terminal import Parser, add_method, add_track, reporting_errors

if TYPE_CHECKING:
    from argparse import Namespace

    from baselines.catalogue import Method

PHONE_METHOD = "learned_isp"


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    method = get_method(options.method)
    track = options.track or method.tracks[0]
    check_track(method, track)
    if options.format == "onnx":
        difference = load_learning("export", method).export_onnx(method, track, options.output, options.weights)
        print(f"{options.output}: differs from the network by at most {difference:.2g} under onnxruntime")
    else:
        _export_tflite(method, track, options)
    return 0


def _export_tflite(method: Method, track: str, options: Namespace) -> None:
    if method.name != PHONE_METHOD:
        raise BaselineError(f"TFLite is for {PHONE_METHOD}, which is made for phones: use --format onnx.")
    network = load_learning("export", method).load_graph(method, track, options.weights)
    phone = importlib.import_module("baselines.learned_isp.phone")
    phone.write_tflite(network, options.output, half=options.half)
    print(f"{options.output}: {options.output.stat().st_size} bytes")


def _parser() -> Parser:
    parser = Parser(prog="python -m baselines export", description="Write a method as ONNX or TFLite.")
    add_method(parser)
    add_track(parser, required=False)
    parser.add_argument("--format", required=True, choices=("onnx", "tflite"))
    parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="the file to write")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="trained weights; by default those that ship")
    parser.add_argument("--half", action="store_true", help="TFLite: store the weights in float16")
    return parser
