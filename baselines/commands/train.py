"""``python -m baselines train``."""

from __future__ import annotations

import importlib
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.catalogue import get_method
from baselines.data.pairs import find_pairs
from baselines.errors import BaselineError
from baselines.evaluate import evaluate
from baselines.predict import check_track, load_learning
from baselines.terminal import Parser, ProgressLine, add_method, add_track, reporting_errors
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from argparse import Namespace

    from baselines.catalogue import Method
    from baselines.learning.training import Settings


@reporting_errors
def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 1 with a message on the standard error stream."""
    options = _parser().parse_args(arguments)
    try:
        _train(options, f"python -m baselines train {shlex.join(arguments)}")
    except KeyboardInterrupt:
        print(f"stopped: {options.out} holds the checkpoint, and --resume goes on", file=sys.stderr)
        return 1
    return 0


def _train(options: Namespace, command: str) -> None:
    method = get_method(options.method)
    if not method.trained:
        raise BaselineError(f"{method.name} is a formula: there is nothing to train.")
    track = options.track or method.tracks[0]
    check_track(method, track)
    training_module, devices = load_learning("training", method), load_learning("devices", method)
    recipe = importlib.import_module(f"baselines.{method.name}.train").RECIPE
    device = devices.choose_device(options.device)
    devices.use_threads(options.threads)
    training = training_module.Training(
        recipe,
        find_pairs(options.data, TRACKS[track], options.split),
        _settings(recipe.settings, options),
        device,
        devices.Speed.of(device, options.precision, compiled=options.compile),
    )
    if options.start is not None:
        training.start_from(options.start)
    with ProgressLine(f"train {method.name}: step") as progress:
        training_module.train(
            training,
            options.out,
            resume=options.resume,
            save_every=options.save_every,
            until=options.until,
            on_step=progress,
        )
    _finish(method, track, training_module, training, options, command)


def _finish(
    method: Method, track: str, training_module: object, training: object, options: Namespace, command: str
) -> None:
    """Write the weights, with the score that they reach on the validation split where there is one."""
    weights = options.out / training_module.WEIGHTS  # type: ignore[attr-defined]
    write = training_module.write_weights  # type: ignore[attr-defined]
    write(training, weights, command=command)
    if (options.data / "val_rgb").is_dir() or (options.data / "val").is_dir():
        with ProgressLine("validate") as progress:
            scored = evaluate(
                method.name, track, options.data, "val", weights=weights, device=options.device, on_progress=progress
            )
        write(training, weights, command=command, val=dict(scored.metrics))
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in scored.metrics.items())
        print(f"validation: {metrics}")
    print(f"{weights}: the weights, {weights.stat().st_size / 1e6:.2f} MB")


def _settings(defaults: Settings, options: Namespace) -> Settings:
    given = {
        name: value
        for name in ("steps", "batch", "crop", "learning_rate", "seed")
        if (value := getattr(options, name)) is not None
    }
    return replace(defaults, **given)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m baselines train",
        description="Train a method. Log, checkpoint and, at the end, weights lie in the output folder.",
    )
    add_method(parser)
    add_track(parser, required=False)
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="folder of the data set")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for log, checkpoint and weights")
    parser.add_argument("--split", default="train", metavar="NAME", help="split to learn from (default: train)")
    parser.add_argument("--resume", action="store_true", help="go on where the training in --out stopped")
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights to start from, of the same method")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="of convolutions")
    parser.add_argument("--compile", action="store_true", help="compile the network (torch.compile)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the CPU")
    parser.add_argument("--save-every", type=int, default=200, metavar="N", help="steps between two checkpoints")
    parser.add_argument("--until", type=int, metavar="N", help="stop after this step, before the training's last")
    parser.add_argument("--seed", type=int, metavar="S", help="of first weights and crops")
    for name, kind, text in (
        ("steps", int, "steps of the training"),
        ("batch", int, "crops of a batch"),
        ("crop", int, "side of a crop in RGB pixels"),
        ("learning-rate", float, "of Adam"),
    ):
        parser.add_argument(f"--{name}", type=kind, help=f"{text}; the method's own by default")
    return parser
