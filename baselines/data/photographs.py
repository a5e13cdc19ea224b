"""A user's own photographs as scenes, in the place of composed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from baselines.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
SPLITS = ("train", "val", "test")
HELD_OUT = 10  # of so many photographs one is for validation and one for the test, at least one of each


def divide_photographs(folder: Path, height: int, width: int, seed: int) -> dict[str, list[Path]]:
    """Divide a folder's photographs into training, validation and test, at random by the seed.

    Parameters
    ----------
    folder
        At least three photographs, none smaller than the scene.
    height, width
        Of the scene that each will be.

    Raises
    ------
    InputError
        If there are too few, or one cannot be used; the text names it and gives advice.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if len(files) < len(SPLITS):
        raise InputError(f"{folder} has {len(files)} photographs; at least {len(SPLITS)} are needed, one per split.")
    for file in files:
        _check_size(file, height, width)
    order = [files[place] for place in np.random.default_rng(seed).permutation(len(files))]
    held_out = max(1, len(files) // HELD_OUT)
    return {"val": order[:held_out], "test": order[held_out : 2 * held_out], "train": order[2 * held_out :]}


def load_scene(file: Path, height: int, width: int) -> NDArray[np.uint8]:
    """Scale a photograph down until it just covers the scene, and cut its middle out: uint8 height×width×3."""
    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(ImageOps.fit(upright, (width, height), Image.Resampling.LANCZOS))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{file.name} cannot be read: {error}.") from error


def _check_size(file: Path, height: int, width: int) -> None:
    try:
        with Image.open(file) as image:
            found = ImageOps.exif_transpose(image).size
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{file.name} is no photograph that can be read: {error}.") from error
    if found[0] < width or found[1] < height:
        raise InputError(
            f"{file.name} has {found[0]}×{found[1]} pixels, and the scene {width}×{height}: take it away, or make "
            f"fewer tiles with --rows and --cols."
        )
