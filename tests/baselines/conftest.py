"""Tiles for the tests: drawn by formula, so that they cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def drawn_tile(size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return a smooth colourful uint8 size×size×3."""
    phase = np.random.default_rng(seed).uniform(0, 6, 3)
    rows, columns = np.mgrid[0:size, 0:size] / size
    waves = [np.sin(5 * rows + shift) + np.cos(7 * columns - shift) for shift in phase]
    return np.rint(127.5 + 60 * np.stack(waves, axis=-1)).astype(np.uint8)


def save_tile(path: Path, track: str = "s7", seed: int = 0) -> Path:
    """Save a drawn tile of the track's size as a JPG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawn_tile(TRACKS[track].tile_size, seed)).save(path, "JPEG", quality=92)
    return path


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """Return a folder of three S7 tiles, whose natural order is not that of the letters."""
    folder = tmp_path / "tiles"
    for seed, name in enumerate(("6_10", "6_2", "10_0")):
        save_tile(folder / f"{name}.jpg", seed=seed)
    return folder
