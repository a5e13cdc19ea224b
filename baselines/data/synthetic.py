"""A synthetic data set in the exact layout and naming of AIM 2022 Reversed ISP, or of Fujifilm UltraISP.

scene → antialiased ×½ → camera (`expose`) = RAW target; ISP (`develop`) of that very RAW = RGB input. The RGB
is thus truly an ISP's output of the target. For the learned ISP the RAW is the input, and the target is the scene
itself, as a far better camera would show it. Tiles are cut row by row and named ``{photo}_{tile}``.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from baselines.cfa import unpack
from baselines.data.camera import CAMERAS, SECOND_CAMERAS, expose, random_exposure, shading_map
from baselines.data.isp import develop
from baselines.data.photographs import load_scene
from baselines.data.scenes import compose_scene
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from baselines.data.camera import Camera

JPG_QUALITY = (90, 96)  # drawn per photo, upper end excluded


@dataclass(frozen=True)
class PhotoPlan:
    """One photo to be made: everything that its pixels depend on.

    Attributes
    ----------
    track, split
        Whose camera takes it, and of whose photographs the scene is composed.
    photo
        Its number, the first part of its tiles' names.
    rows, columns
        Tiles of the frame.
    seed
        The data set's seed.
    second_camera
        Whether the track's other camera takes it.
    photograph
        A photograph that is the scene; none where one is composed.
    """

    track: str
    split: str
    photo: int
    rows: int
    columns: int
    seed: int
    second_camera: bool = False
    photograph: Path | None = None

    @property
    def camera(self) -> Camera:
        """The camera that takes it."""
        return (SECOND_CAMERAS if self.second_camera else CAMERAS)[self.track]

    @property
    def frame(self) -> tuple[int, int]:
        """Height and width of the photo."""
        return self.rows * self.camera.tile_size, self.columns * self.camera.tile_size

    @property
    def tile_names(self) -> list[str]:
        """Names of its tiles, row by row."""
        return [f"{self.photo}_{tile}" for tile in range(self.rows * self.columns)]

    def generator(self) -> np.random.Generator:
        """Return its source of randomness, which no photo of another track, split or number shares."""
        place = zlib.crc32(f"{self.track}/{self.split}".encode())
        return np.random.default_rng([self.seed, place, self.photo])


@dataclass(frozen=True)
class Photo:
    """A photo with its RAW.

    Attributes
    ----------
    rgb
        uint8 H×W×3.
    packed_raw
        uint16 H/2×W/2×4.
    jpg_quality
        The quality that the phone stores it with; 0 where it is stored without loss.
    """

    rgb: NDArray[np.uint8]
    packed_raw: NDArray[np.uint16]
    jpg_quality: int


def take_photo(plan: PhotoPlan) -> Photo:
    """Compose a scene, expose it, and develop the RAW."""
    rng = plan.generator()
    camera = plan.camera
    height, width = plan.frame
    if plan.photograph is None:
        scene = compose_scene(2 * height, 2 * width, plan.split, rng)
    else:
        scene = load_scene(plan.photograph, 2 * height, 2 * width)
    image = halve(scene)
    exposure = random_exposure(camera, rng)
    shading = shading_map(camera, height, width)
    packed_raw = expose(image, camera, exposure, rng, shading)
    if TRACKS[plan.track].reads_raw:
        return Photo(np.rint(image * 255).astype(np.uint8), packed_raw, 0)
    rgb = develop(packed_raw, camera, exposure, shading)
    if camera.max_zoom > 0:
        rgb = zoom(rgb, rng.uniform(0, camera.max_zoom))
    return Photo(rgb, packed_raw, int(rng.integers(*JPG_QUALITY)))


def halve(scene: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Halve an image H×W×3 by the mean of 2×2 pixels, to float32 in 0..1 with no rounding."""
    height, width, _ = scene.shape
    cells = scene.reshape(height // 2, 2, width // 2, 2, 3)
    total = cells[:, 0, :, 0].astype(np.uint16)
    for row, column in ((0, 1), (1, 0), (1, 1)):
        total += cells[:, row, :, column]
    return total.astype(np.float32) / np.float32(4 * 255)


def zoom(rgb: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    """Crop the middle ``1 / (1 + amount)`` of an image and scale it back to size: a slight misalignment."""
    height, width, _ = rgb.shape
    margin_x, margin_y = (0.5 * side * (1 - 1 / (1 + amount)) for side in (width, height))
    box = (margin_x, margin_y, width - margin_x, height - margin_y)
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC, box))


def write_photo(plan: PhotoPlan, rgb_folder: Path, raw_folder: Path) -> int:
    """Take a photo and write its tiles; return its number."""
    photo = take_photo(plan)
    size = plan.camera.tile_size
    half = size // 2
    for tile, name in enumerate(plan.tile_names):
        row, column = divmod(tile, plan.columns)
        rgb = photo.rgb[row * size : (row + 1) * size, column * size : (column + 1) * size]
        raw = photo.packed_raw[row * half : (row + 1) * half, column * half : (column + 1) * half]
        if TRACKS[plan.track].reads_raw:
            Image.fromarray(np.ascontiguousarray(rgb)).save(rgb_folder / f"{name}.png")
            Image.fromarray(unpack(raw)).save(raw_folder / f"{name}.png")
        else:
            Image.fromarray(np.ascontiguousarray(rgb)).save(
                rgb_folder / f"{name}.jpg", quality=photo.jpg_quality, subsampling="4:2:0"
            )
            np.save(raw_folder / f"{name}.npy", np.ascontiguousarray(raw), allow_pickle=False)
    return plan.photo
