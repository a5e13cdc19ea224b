"""``python -m baselines denoise``: train a denoiser with RAW that MBISPLD generates, and one without."""

from __future__ import annotations

import importlib
from pathlib import Path

from baselines.catalogue import get_method
from baselines.data.pairs import find_pairs
from baselines.predict import check_track, load_learning, load_module
from baselines.terminal import Parser, ProgressLine, add_track, reporting_errors
from baselines.tracks import TRACKS


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    method, track = get_method("mbispld"), TRACKS[options.track]
    check_track(method, track.name)
    predictor = load_learning("predictor", method)
    weights = options.weights or method.weights(track.name)
    network, _ = predictor.load_network(method.name, track.name, load_module(method).build, weights)
    denoising = importlib.import_module("baselines.mbispld.denoising")
    with ProgressLine("learn") as progress:
        result = denoising.compare(
            network,
            find_pairs(options.data, track, "train"),
            find_pairs(options.data, track, "test"),
            few=options.few,
            generated=options.generated,
            steps=options.steps,
            seed=options.seed,
            on_step=progress,
        )
    print(f"held-out RAW with noise: {result.noisy_db:.2f} dB")
    print(f"denoiser of {options.few} RAW tiles: {result.without_db:.2f} dB")
    print(f"the same, and RAW generated of {options.generated} RGB tiles: {result.with_db:.2f} dB")
    print(f"margin {result.margin_db:+.2f} dB")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m baselines denoise",
        description="Train a small denoiser with and without RAW that MBISPLD generates, and compare them.",
    )
    add_track(parser)
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="data set with train and test")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="MBISPLD's weights; by default those that ship")
    parser.add_argument("--few", type=int, default=5, metavar="N", help="RAW tiles that both learn from")
    parser.add_argument("--generated", type=int, default=40, metavar="N", help="RGB tiles of which RAW is generated")
    parser.add_argument("--steps", type=int, default=600, metavar="N", help="steps of each training")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of weights, crops and noise")
    return parser
