"""Methods in other formats: ONNX with dynamic shapes, and TFLite.

An ONNX file has the inputs ``tiles`` and, where the method asks for it, ``place``; and the output ``prediction``, all
as `baselines.learning.network.Network` describes them. It is written by PyTorch's exporter and run here once, so that
a file that would give other numbers is never left behind.
"""

from __future__ import annotations

import importlib
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from baselines.errors import BaselineError
from baselines.learning.network import example_inputs
from baselines.learning.predictor import load_network
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from baselines.catalogue import Method
    from baselines.learning.network import Network

INPUTS, OUTPUT = ("tiles", "place"), "prediction"
# The networks halve the size twice: the sides of a tile are multiples of 4 (of a packed RAW, any number).
SIDES = (8, 1024)
TRACED_SIZE, CHECKED_SIZE = 64, 96
TOLERANCE = 2e-5  # float32, summed up in another order


def load_graph(method: Method, track: str, weights: Path | None) -> Network:
    """Return a method as a PyTorch module, with its weights where it has any.

    Raises
    ------
    BaselineError
        If the weights are missing or of another method or track.
    """
    if not method.trained:
        graph: Network = importlib.import_module(f"baselines.{method.name}.graph").build(track)
        return graph.eval()
    build = importlib.import_module(method.module).build
    return load_network(method.name, track, build, weights or method.weights(track))[0]


def export_onnx(method: Method, track: str, output: Path, weights: Path | None = None) -> float:
    """Write a method as ONNX; return the largest difference that was seen when it was run.

    Raises
    ------
    BaselineError
        If onnx or onnxruntime is not installed, the weights cannot be loaded, or the file gives other numbers.
    """
    network = load_graph(method, track, weights)
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.stem}.{os.getpid()}.part.onnx")
    try:
        _write_onnx(network, track, unfinished)
        difference = largest_difference(network, track, unfinished)
        if difference > TOLERANCE:
            raise BaselineError(f"The ONNX file differs from the network by {difference:.2g}: it was not kept.")
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    return difference


def _write_onnx(network: Network, track: str, path: Path) -> None:
    multiple = 1 if TRACKS[track].reads_raw else 4
    height, width = (torch.export.Dim(name, min=SIDES[0], max=SIDES[1]) for name in ("height", "width"))
    count = torch.export.Dim("count")
    shapes = ({0: count, 2: multiple * height, 3: multiple * width}, {0: count})
    try:
        with warnings.catch_warnings():
            # of the exporter's own use of features that PyTorch and onnxscript are about to drop
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                example_inputs(track, 2, size=TRACED_SIZE),
                dynamo=True,
                input_names=list(INPUTS),
                output_names=[OUTPUT],
                dynamic_shapes=shapes,
                verbose=False,
            )
    except ModuleNotFoundError as error:
        raise BaselineError(f"ONNX needs {error.name}: pip install 'bayerboard[baselines,export]'.") from error
    if program is None:
        raise BaselineError("PyTorch's exporter returned nothing.")
    program.save(path)


def largest_difference(network: Network, track: str, path: Path) -> float:
    """Run an ONNX file and the network it is of, on random tiles of another size; return how far they are apart."""
    tiles, place = example_inputs(track, 3, size=CHECKED_SIZE)
    noise = torch.rand(tiles.shape, generator=torch.Generator().manual_seed(0))
    tiles = tiles * 2 * noise
    with torch.inference_mode():
        expected = network(tiles, place).numpy()
    return float(np.abs(run_onnx(path, tiles.numpy(), place.numpy()) - expected).max())


def run_onnx(path: Path, tiles: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a file that `export_onnx` wrote.

    Raises
    ------
    BaselineError
        If onnxruntime is not installed.
    """
    try:
        runtime: Any = importlib.import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise BaselineError("ONNX needs onnxruntime: pip install 'bayerboard[baselines,export]'.") from error
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = dict(zip(INPUTS, (tiles, place), strict=True))
    feeds = {item.name: given[item.name] for item in session.get_inputs()}
    result: NDArray[np.float32] = session.run([OUTPUT], feeds)[0]
    return result
