"""Predictions of a chosen quality: a folder of references, made worse, as a submission zip.

They stand in for teams in a demo or a load test. A real submission never starts from a reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from baselines.data.camera import LEVELS_10BIT
from baselines.errors import BaselineError, InputError
from baselines.inputs import natural_key
from baselines.submission import SubmissionWriter, write_submission

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from baselines.submission import Readme

BITS = 10
LEAST_IMAGES_TO_BREAK = 4  # one fault each, and one that is whole


@dataclass(frozen=True)
class Degradation:
    """The degradations of a packed RAW, in this order.

    Attributes
    ----------
    shift
        Packed pixels to the right and down; may be a fraction.
    blur
        Standard deviation of a Gaussian in packed pixels, each channel by itself.
    gain
        Factor on all levels.
    noise
        Standard deviation of white Gaussian noise in levels.
    bits
        How many of the 10 bits are kept.
    """

    shift: float = 0.0
    blur: float = 0.0
    gain: float = 1.0
    noise: float = 0.0
    bits: int = BITS

    def __post_init__(self) -> None:
        if not (np.isfinite([self.shift, self.blur, self.gain, self.noise]).all() and self.gain > 0):
            raise BaselineError("Shift, blur, noise and gain are finite numbers, and the gain is above 0.")
        if self.blur < 0 or self.noise < 0:
            raise BaselineError("Blur and noise cannot be negative.")
        if not 1 <= self.bits <= BITS:
            raise BaselineError(f"Between 1 and {BITS} bits can be kept, not {self.bits}.")

    def apply(self, packed_raw: NDArray[np.uint16], rng: np.random.Generator) -> NDArray[np.uint16]:
        """Degrade one packed RAW.

        Parameters
        ----------
        packed_raw
            uint16 H×W×4, 0..1023.
        rng
            Source of the noise.

        Returns
        -------
        uint16 H×W×4, 0..1023.
        """
        levels = packed_raw.astype(np.float64)
        if self.shift:
            levels = ndimage.shift(levels, (self.shift, self.shift, 0), order=1, mode="nearest")
        if self.blur:
            levels = ndimage.gaussian_filter(levels, (self.blur, self.blur, 0))
        levels *= self.gain
        if self.noise:
            levels += rng.normal(0, self.noise, levels.shape)
        step = 2 ** (BITS - self.bits)
        stored: NDArray[np.uint16] = np.clip(np.rint(levels / step) * step, 0, LEVELS_10BIT).astype(np.uint16)
        return stored


def write_degraded(
    reference: Path,
    output: Path,
    degradation: Degradation,
    readme: Readme,
    *,
    seed: int = 0,
    broken: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write a submission zip of degraded references.

    Parameters
    ----------
    reference
        Folder of .npy files, uint16 H×W×4.
    output
        The zip to write, whole or not at all.
    degradation, readme
        The degradation of every image, and the declarations of the readme.txt.
    seed
        The same seed makes the same bytes.
    broken
        Also make several faults that a check must name: the first image is missing, the second is a
        normalised float array, the third is one row short, and a surplus image and macOS clutter are added.
    on_progress
        Called with (done, total) after every image.

    Returns
    -------
    How many references were read.

    Raises
    ------
    InputError
        If the folder has no references, too few to break, or one that is no packed RAW.
    """
    files = sorted(reference.glob("*.npy"), key=lambda file: natural_key(file.stem))
    if not files:
        raise InputError(f"{reference} has no .npy file in it.")
    if broken and len(files) < LEAST_IMAGES_TO_BREAK:
        raise InputError(f"A broken submission needs {LEAST_IMAGES_TO_BREAK} references, not {len(files)}.")
    rng = np.random.default_rng(seed)
    with write_submission(output) as submission:
        for place, file in enumerate(files):
            prediction = degradation.apply(_load(file), rng)
            if broken:
                _add_faulty(submission, place, file.stem, prediction)
            else:
                submission.add_image(file.stem, prediction)
            if on_progress is not None:
                on_progress(place + 1, len(files))
        if broken:
            submission.add_image("surplus", prediction)
            submission.add_bytes(f"__MACOSX/._{files[0].name}", b"\x00\x05\x16\x07")
        submission.add_readme(readme)
    return len(files)


def _add_faulty(submission: SubmissionWriter, place: int, name: str, prediction: NDArray[np.uint16]) -> None:
    """Add an image with the fault that its place in the folder calls for, if any."""
    if place == 1:
        submission.add_image(name, prediction.astype(np.float32) / np.float32(LEVELS_10BIT))
    elif place == 2:
        submission.add_image(name, prediction[:-1])
    elif place > 2:
        submission.add_image(name, prediction)


def _load(file: Path) -> NDArray[np.uint16]:
    try:
        with file.open("rb") as stream:
            packed_raw = np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{file.name} is not a .npy array: {error}.") from error
    if packed_raw.dtype != np.uint16 or packed_raw.ndim != 3 or packed_raw.shape[2] != 4:
        raise InputError(f"{file.name} is {packed_raw.dtype} {packed_raw.shape}, not uint16 H×W×4.")
    array: NDArray[np.uint16] = packed_raw
    return array
