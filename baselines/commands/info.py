"""``python -m baselines info``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.catalogue import get_method
from baselines.expected import expected_scores
from baselines.predict import check_track, load_learning, load_module
from baselines.terminal import Parser, add_method, add_track, reporting_errors
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from baselines.catalogue import Method

# a weights file's description of itself
FACTS = ("command", "step", "pairs", "data_sha256", "torch")


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    method = get_method(options.method)
    if options.track is not None:
        check_track(method, options.track)
    print(f"{method.title}: {method.summary}")
    for track in [options.track] if options.track else method.tracks:
        print("\n".join(_lines(method, track, options.weights)))
    return 0


def _lines(method: Method, track: str, weights: Path | None) -> Iterator[str]:
    yield f"\ntrack {track} ({TRACKS[track].protocol})"
    if method.trained:
        yield from _network_lines(method, track, weights)
    else:
        yield "  parameters 0, MACs 0; each value depends on one pixel"
    for split, metrics in expected_scores(method.name, track).items():
        yield f"  expected on the synthetic split {split}: {_in_words(metrics)}"


def _network_lines(method: Method, track: str, weights: Path | None) -> Iterator[str]:
    counting, predictor = load_learning("network", method), load_learning("predictor", method)
    build = load_module(method).build
    network, metadata = predictor.load_network(method.name, track, build, weights or method.weights(track))
    reach = counting.receptive_field(network, track)
    yield f"  parameters {counting.count_parameters(network):,}"
    yield f"  multiply-accumulates per tile {counting.count_macs(build, track) / 1e9:.3f} G"
    yield f"  receptive field {'the whole tile' if reach == counting.WHOLE_TILE else f'{reach} pixels'}"
    yield f"  weights {_facts(metadata)}"
    if method.name == "mbispld":
        atoms = importlib.import_module("baselines.mbispld.atoms")
        yield from (f"  {line}" for line in atoms.describe(network).splitlines())


def _facts(metadata: Mapping[str, Any]) -> str:
    facts = [f"{key} {metadata[key]}" for key in FACTS if key in metadata]
    facts += [f"{key} {value}" for key, value in metadata.get("settings", {}).items()]
    if "val" in metadata:
        facts.append(f"validation {_in_words(metadata['val'])}")
    return "; ".join(facts)


def _in_words(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())


def _parser() -> Parser:
    parser = Parser(
        prog="python -m baselines info",
        description="Tell what a method is made of, what its weights come from, and what it scored on synthetic data.",
    )
    add_method(parser)
    add_track(parser, required=False)
    parser.add_argument("--weights", type=Path, metavar="FILE", help="trained weights; by default those that ship")
    return parser
