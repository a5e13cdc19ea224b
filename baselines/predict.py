"""Run a baseline over a track's tiles and write a submission that can be uploaded as it is."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from baselines.catalogue import get_method
from baselines.data.frames import grid_of
from baselines.equipment import name_of_processor
from baselines.errors import BaselineError
from baselines.inputs import open_tiles
from baselines.submission import Readme, write_submission
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

    from baselines.catalogue import Method

GPU_BATCH = 8


class Predictor(Protocol):
    """A predictor of batches of tiles; see `baselines.learning.predictor.NetworkPredictor`."""

    device: Literal["cpu", "gpu"]
    device_name: str
    parameters: int
    macs: int

    def __call__(self, tiles: NDArray[Any], places: NDArray[np.float32]) -> NDArray[Any]:
        """Predict from N tiles at their places N×4."""


class FormulaPredictor:
    """A method without a network: its function, tile by tile."""

    device: Literal["cpu", "gpu"] = "cpu"
    parameters = 0
    macs = 0

    def __init__(self, function: Callable[[NDArray[np.uint8], str], NDArray[np.uint16]], track: str) -> None:
        self.device_name = name_of_processor()
        self._function, self._track = function, track

    def __call__(self, tiles: NDArray[Any], places: NDArray[np.float32]) -> NDArray[Any]:
        """Predict; the places are not used."""
        return np.stack([self._function(tile, self._track) for tile in tiles])


@dataclass(frozen=True)
class PredictionReport:
    """The result of a prediction run.

    Attributes
    ----------
    images
        How many tiles were predicted.
    runtime_s_per_image
        Mean measured seconds from decoded input to prediction, without reading and writing files.
    device, device_name
        Where it ran.
    parameters, macs_per_image
        Of the method's network; 0 for a formula.
    extra_data
        Whether it was trained on more than the track's training data.
    """

    images: int
    runtime_s_per_image: float
    device: Literal["cpu", "gpu"]
    device_name: str
    parameters: int
    macs_per_image: int
    extra_data: bool


def predict(
    method: str,
    track: str,
    input: Path,  # noqa: A002  (the agreed name)
    output: Path,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    weights: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
) -> PredictionReport:
    """Predict every tile and zip the predictions with a readme.txt.

    Parameters
    ----------
    method
        Name of a baseline of the catalogue.
    track
        ``s7`` (504×504 RGB → 252×252×4), ``p20`` (496×496 → 248×248×4) or ``mai22`` (256×256 RAW → RGB).
    input
        Folder of .jpg files (mai22: .png), or a zip of them, which is not unpacked to disk.
    output
        The zip to write: ``{stem}.npy`` (uint16, levels 0..1024; mai22: ``{stem}.png``) and ``readme.txt`` with
        the measured runtime. It appears under this name only when it is whole.
    on_progress
        Called with (done, total) after every batch; an exception from it stops the run.
    weights
        Trained weights; those that ship with the method by default.
    device, precision
        ``auto``, ``cpu`` or ``cuda``; ``auto``, ``float32`` or ``bfloat16``. A formula runs on the CPU.
    batch
        Tiles at a time: one on a CPU and eight on a GPU by default. It is halved where the memory does not suffice.

    Raises
    ------
    UnknownMethod
        If the catalogue has no such method.
    InputError
        If the input is missing, empty, unreadable or of the wrong size.
    BaselineError
        If there is no such track, device or weights, the method does not serve the track, or it needs a package that
        is not installed.
    """
    chosen = get_method(method)
    check_track(chosen, track)
    if batch is not None and batch < 1:
        raise BaselineError(f"A batch has at least one tile, not {batch}.")
    predictor = load_predictor(chosen, track, weights=weights, device=device, precision=precision)
    size = batch or (GPU_BATCH if predictor.device == "gpu" else 1)
    spent_s = 0.0
    with open_tiles(input, TRACKS[track]) as tiles, write_submission(output) as submission:
        total, done, grid = len(tiles.names), 0, grid_of(tiles.names)
        for names in _batches(tiles.names, size):
            inputs, places = np.stack([tiles.load(name) for name in names]), grid.places(names)
            if predictor.device == "gpu" and not done:
                predictor(inputs, places)  # the first batch chooses kernels, which is no part of the runtime
            started = time.perf_counter()
            outputs = predictor(inputs, places)
            spent_s += time.perf_counter() - started
            for name, image in zip(names, outputs, strict=True):
                submission.add_image(name, image)
            done += len(names)
            if on_progress is not None:
                on_progress(done, total)
        report = PredictionReport(
            images=total,
            runtime_s_per_image=spent_s / total,
            device=predictor.device,
            device_name=predictor.device_name,
            parameters=predictor.parameters,
            macs_per_image=predictor.macs,
            extra_data=chosen.trained and weights is None,
        )
        submission.add_readme(
            Readme(report.runtime_s_per_image, report.device, report.extra_data, load_module(chosen).DESCRIPTION)
        )
    return report


def check_track(method: Method, track: str) -> None:
    """Refuse a track that does not exist, or that the method does not serve."""
    if track not in TRACKS:
        raise BaselineError(f"There is no track called {track!r}. Known: {', '.join(TRACKS)}.")
    if track not in method.tracks:
        raise BaselineError(f"{method.name} does not serve track {track}, only {', '.join(method.tracks)}.")


def load_predictor(
    method: Method, track: str, *, weights: Path | None = None, device: str = "auto", precision: str = "auto"
) -> Predictor:
    """Make the predictor of a track's tiles.

    Raises
    ------
    BaselineError
        If a package, the weights or the device is missing.
    """
    module = load_module(method)
    if not method.trained:
        if weights is not None:
            raise BaselineError(f"{method.name} is a formula and has no weights: leave out --weights.")
        if device == "cuda":
            raise BaselineError(f"{method.name} is a formula and runs on the CPU: use --device cpu.")
        return FormulaPredictor(module.predict_packed_raw, track)
    learning = load_learning("predictor", method)
    predictor: Predictor = learning.load_predictor(
        method.name, track, module.build, weights or method.weights(track), device, precision
    )
    return predictor


def load_module(method: Method) -> ModuleType:
    """Import a method's ``model.py``, by name, so that heavy imports load only for the method that needs them.

    It has ``DESCRIPTION`` and, for a formula, ``predict_packed_raw(rgb, track)``; for a network ``build(track)``.

    Raises
    ------
    BaselineError
        If a package that it needs is not installed.
    """
    return _import(method.module, method.name)


def load_learning(name: str, method: Method) -> ModuleType:
    """Import a module of `baselines.learning`, which needs PyTorch, for a method."""
    return _import(f"baselines.learning.{name}", method.name)


def _import(module: str, needed_by: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in {"torch", "safetensors"}:
            raise BaselineError(
                f"{needed_by} needs {package}, which is not installed here: pip install 'bayerboard[baselines]'."
            ) from error
        raise BaselineError(f"{needed_by} needs {error.name}, which is not installed here.") from error


def _batches(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]
