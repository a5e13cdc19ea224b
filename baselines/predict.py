"""Run a baseline over a track's RGB tiles and write a submission that can be uploaded as it is."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

from baselines.catalogue import get_method
from baselines.errors import BaselineError
from baselines.inputs import open_tiles
from baselines.submission import Readme, write_submission
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from baselines.catalogue import Method


class Model(Protocol):
    """What a method's module `baselines/<method>/model.py` has."""

    DESCRIPTION: str

    def predict_packed_raw(self, rgb: NDArray[np.uint8], track: str) -> NDArray[np.uint16]:
        """Predict the packed RAW uint16 H/2×W/2×4 of a tile uint8 H×W×3."""


@dataclass(frozen=True)
class PredictionReport:
    """What a prediction run did.

    Attributes
    ----------
    images
        How many tiles were predicted.
    runtime_s_per_image
        Mean measured seconds from decoded RGB to packed RAW, without reading and writing files.
    device
        Where it ran.
    """

    images: int
    runtime_s_per_image: float
    device: Literal["cpu", "gpu"]


def predict(
    method: str,
    track: str,
    input: Path,  # noqa: A002  (the agreed name)
    output: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> PredictionReport:
    """Predict the packed RAW of every tile, one at a time, and zip them with a readme.txt.

    Parameters
    ----------
    method
        Name of a baseline of the catalogue.
    track
        ``s7`` (504×504 RGB → 252×252×4) or ``p20`` (496×496 → 248×248×4).
    input
        Folder of .jpg files, or a zip of them, which is not unpacked to disk.
    output
        The zip to write: ``{stem}.npy`` (uint16, levels 0..1024) and ``readme.txt`` with the measured
        runtime. It appears under this name only when it is whole.
    on_progress
        Called with (done, total) after every tile; an exception from it stops the run.

    Raises
    ------
    UnknownMethod
        If the catalogue has no such method.
    InputError
        If the input is missing, empty, unreadable or of the wrong size.
    BaselineError
        If there is no such track, the method does not serve it, or it needs what is not installed.
    """
    chosen = get_method(method)
    if track not in TRACKS:
        raise BaselineError(f"There is no track called {track!r}. Known: {', '.join(TRACKS)}.")
    if track not in chosen.tracks:
        raise BaselineError(f"{method} does not serve track {track}, only {', '.join(chosen.tracks)}.")
    model = load_model(chosen)
    spent_s = 0.0
    with open_tiles(input, TRACKS[track]) as tiles, write_submission(output) as submission:
        total = len(tiles.names)
        for done, name in enumerate(tiles.names, start=1):
            rgb = tiles.load(name)
            started = time.perf_counter()
            packed_raw = model.predict_packed_raw(rgb, track)
            spent_s += time.perf_counter() - started
            submission.add_image(name, packed_raw)
            if on_progress is not None:
                on_progress(done, total)
        report = PredictionReport(total, spent_s / total, "cpu")
        submission.add_readme(
            Readme(report.runtime_s_per_image, report.device, extra_data=False, description=model.DESCRIPTION)
        )
    return report


def load_model(method: Method) -> Model:
    """Import a method's module, by name, so that heavy imports load only for the method that needs them.

    Raises
    ------
    BaselineError
        If a package that it needs is not installed.
    """
    try:
        return cast("Model", importlib.import_module(method.module))
    except ModuleNotFoundError as error:
        raise BaselineError(f"{method.name} needs {error.name}, which is not installed here.") from error
