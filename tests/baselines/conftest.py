"""Tiles for the tests: drawn by formula, so that they cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from baselines.cfa import mosaic, unpack
from baselines.data.camera import CAMERAS, expose, random_exposure
from baselines.data.isp import develop
from baselines.data.make import folders_of
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


# Several threads that wait for each other crawl on a busy machine, and the networks of the tests are small.
torch.set_num_threads(1)


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


def drawn_bayer(size: int, seed: int = 0) -> NDArray[np.uint16]:
    """Return a Bayer plane of 12 bits, uint16 size×size, whose four colours differ."""
    return unpack(mosaic(drawn_tile(size, seed)).astype(np.uint16) * np.array([6, 12, 12, 5], np.uint16))


def save_input(folder: Path, name: str, track: str, seed: int = 0) -> Path:
    """Save a drawn tile as the track's methods read it: a JPG, or a 16-bit PNG of a Bayer plane."""
    if not TRACKS[track].reads_raw:
        return save_tile(folder / f"{name}.jpg", track, seed)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawn_bayer(TRACKS[track].tile_size, seed)).save(folder / f"{name}.png")
    return folder / f"{name}.png"


def save_pairs(data: Path, track: str, split: str, names: Sequence[str], seed: int = 0) -> None:
    """Save RGB – RAW pairs that the track's camera model made of drawn tiles."""
    camera = CAMERAS[track]
    rgb_folder, raw_folder = folders_of(data, track, split)
    for folder in (rgb_folder, raw_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        rng = np.random.default_rng([seed, number])
        exposure = random_exposure(camera, rng)
        drawn = drawn_tile(camera.tile_size, seed + number)
        raw = expose(drawn.astype(np.float32) / np.float32(255), camera, exposure, rng)
        if TRACKS[track].reads_raw:
            Image.fromarray(drawn).save(rgb_folder / f"{name}.png")
            Image.fromarray(unpack(raw)).save(raw_folder / f"{name}.png")
        else:
            Image.fromarray(develop(raw, camera, exposure)).save(rgb_folder / f"{name}.jpg", quality=92)
            np.save(raw_folder / f"{name}.npy", raw)


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """Return a folder of three S7 tiles, whose natural order is not that of the letters."""
    folder = tmp_path / "tiles"
    for seed, name in enumerate(("6_10", "6_2", "10_0")):
        save_tile(folder / f"{name}.jpg", seed=seed)
    return folder
