"""Real tiles of both phones through every method that makes RAW of RGB: valid submissions with plausible colours."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from baselines.catalogue import METHODS
from baselines.predict import predict
from baselines.tracks import TRACKS
from scoring.check import check_archive
from scoring.manifest import Manifest
from scoring.protocol import load_protocol
from tests.acceptance.real_input import AIM22, IS_HERE, read_zip

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = pytest.mark.skipif(not IS_HERE, reason="the real input is not here: no ../shared beside the project")

TILES = 2
METHODS_AND_TRACKS = [
    (method.name, track) for method in METHODS for track in method.tracks if not TRACKS[track].reads_raw
]


@cache
def contrasting(track: str) -> list[Path]:
    """Return the tiles with the most contrast: of a bare wall little more than the lens's shading can be compared."""
    return sorted(real_tiles(track), key=lambda file: float(halved(file).std()), reverse=True)[:TILES]


@cache
def colourful(track: str) -> list[Path]:
    """Return the tiles that are red in one place and blue in another: of a grey sky no colour can be compared."""
    return sorted(real_tiles(track), key=lambda file: float(redness(halved(file)).std()), reverse=True)[:TILES]


def tile_files(track: str) -> list[Path]:
    """Return both."""
    return sorted({*contrasting(track), *colourful(track)})


def real_tiles(track: str) -> list[Path]:
    return sorted((AIM22 / f"{track}_val_rgb").glob("*.jpg"))


def redness(image: NDArray[Any]) -> NDArray[np.float64]:
    """Return the logarithm of red over blue, which a gain only moves; the first and the last channel."""
    pixels = image.astype(np.float64)
    ratio: NDArray[np.float64] = np.log((pixels[..., 0] + 20) / (pixels[..., -1] + 20)).ravel()
    return ratio


@cache
def predictions(method: str, track: str) -> dict[str, NDArray[np.uint16]]:
    """Predict the tiles, and check that the submission is valid."""
    with TemporaryDirectory() as folder:
        tiles = Path(folder) / "tiles"
        tiles.mkdir()
        for file in tile_files(track):
            (tiles / file.name).symlink_to(file)
        predict(method, track, tiles, Path(folder) / "s.zip", device="cpu")
        protocol = load_protocol(TRACKS[track].protocol)
        manifest = Manifest.for_names([file.stem for file in tile_files(track)], protocol)
        checked = check_archive(Path(folder) / "s.zip", manifest, protocol)
        assert (checked.errors, checked.warnings) == ([], [])
        return read_zip(Path(folder) / "s.zip")


def halved(file: Path) -> NDArray[np.float64]:
    rgb = np.asarray(Image.open(file), np.float64)
    height, width, _ = rgb.shape
    cells: NDArray[np.float64] = rgb.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    return cells


@pytest.mark.parametrize(("method", "track"), METHODS_AND_TRACKS)
def test_raw_shows_what_the_rgb_shows(method: str, track: str) -> None:
    raw = predictions(method, track)

    for file in contrasting(track):
        green = raw[file.stem][..., 1:3].mean(axis=2).ravel()
        assert np.corrcoef(green, halved(file)[..., 1].ravel())[0, 1] > 0.8


@pytest.mark.parametrize(("method", "track"), METHODS_AND_TRACKS)
def test_no_colour_took_anothers_place(method: str, track: str) -> None:
    """Where a photo has more red than blue, its RAW has: the two are no further apart than noise and gains allow."""
    raw = predictions(method, track)
    predicted = np.concatenate([redness(raw[file.stem]) for file in colourful(track)])
    shown = np.concatenate([redness(halved(file)) for file in colourful(track)])

    assert np.corrcoef(predicted, shown)[0, 1] > 0.3


@pytest.mark.parametrize(("method", "track"), [pair for pair in METHODS_AND_TRACKS if pair[0] != "mosaic"])
def test_green_is_the_strongest_colour_of_raw(method: str, track: str) -> None:
    mean = np.mean([image.mean(axis=(0, 1)) for image in predictions(method, track).values()], axis=0)

    assert mean[1:3].min() > max(mean[0], mean[3])


@pytest.mark.parametrize(("method", "track"), METHODS_AND_TRACKS)
def test_both_greens_are_alike(method: str, track: str) -> None:
    for image in predictions(method, track).values():
        first, second = image[..., 1].mean(), image[..., 2].mean()
        assert first == pytest.approx(second, rel=0.1)
