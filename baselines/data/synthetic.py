"""A synthetic data set in the exact layout and naming of AIM 2022 Reversed ISP.

scene → antialiased ×½ → camera (`expose`) = RAW target; ISP (`develop`) of that very RAW = RGB input. The RGB
is thus truly an ISP's output of the target. Tiles are cut row by row and named ``{photo}_{tile}``.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import zlib
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from baselines.data.camera import CAMERAS, expose, random_exposure, shading_map
from baselines.data.isp import develop
from baselines.data.scenes import PHOTOGRAPHS, SPLITS, compose_scene
from baselines.errors import BaselineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

JPG_QUALITY = (90, 96)  # drawn per photo, upper end excluded

README = """\
Synthetic RGB – RAW pairs in the layout of AIM 2022 Reversed ISP, track {track}.

SYNTHETIC: these are not the challenge's data. They were made by Bayerboard's demo camera model from composed
scenes; no phone took them. Scores on them are not comparable to any published figure.

  SPLIT_rgb/PHOTO_TILE.jpg   the input: 8-bit RGB, {tile}x{tile}
  SPLIT_raw/PHOTO_TILE.npy   the target: uint16 packed RAW in R, G, G, B order, {half}x{half}x4,
                             black level {black}, white level {white}
  TILE counts row by row from 0; a photo is in one split only.

The scenes are collages, textured with photographs from scikit-image's data folder (skimage/data). The
documentation of skimage.data tells where each comes from and how it may be used:
{photographs}
"""


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
    """

    track: str
    split: str
    photo: int
    rows: int
    columns: int
    seed: int

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
        What the phone stores it with.
    """

    rgb: NDArray[np.uint8]
    packed_raw: NDArray[np.uint16]
    jpg_quality: int


@dataclass(frozen=True)
class DataSummary:
    """What `make_data` made.

    Attributes
    ----------
    track, split
        As asked for.
    photos
        Their numbers.
    tiles
        How many pairs of files were written.
    rgb, raw
        The two folders.
    """

    track: str
    split: str
    photos: tuple[int, ...]
    tiles: int
    rgb: Path
    raw: Path

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for scripts."""
        return {**asdict(self), "photos": list(self.photos), "rgb": str(self.rgb), "raw": str(self.raw)}


def take_photo(plan: PhotoPlan) -> Photo:
    """Compose a scene, expose it, and develop the RAW."""
    rng = plan.generator()
    camera = CAMERAS[plan.track]
    height, width = plan.rows * camera.tile_size, plan.columns * camera.tile_size
    scene = compose_scene(2 * height, 2 * width, plan.split, rng)
    image = halve(scene)
    exposure = random_exposure(camera, rng)
    shading = shading_map(camera, height, width)
    packed_raw = expose(image, camera, exposure, rng, shading)
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
    size = CAMERAS[plan.track].tile_size
    half = size // 2
    for tile, name in enumerate(plan.tile_names):
        row, column = divmod(tile, plan.columns)
        rgb = photo.rgb[row * size : (row + 1) * size, column * size : (column + 1) * size]
        Image.fromarray(np.ascontiguousarray(rgb)).save(
            rgb_folder / f"{name}.jpg", quality=photo.jpg_quality, subsampling="4:2:0"
        )
        raw = photo.packed_raw[row * half : (row + 1) * half, column * half : (column + 1) * half]
        np.save(raw_folder / f"{name}.npy", np.ascontiguousarray(raw), allow_pickle=False)
    return plan.photo


def make_data(
    out: Path,
    track: str,
    split: str,
    *,
    scenes: int = 4,
    rows: int = 2,
    columns: int = 3,
    first_photo: int = 0,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> DataSummary:
    """Make one split of a data set: ``out/{split}_rgb/*.jpg``, ``out/{split}_raw/*.npy`` and ``README.txt``.

    Parameters
    ----------
    out
        Folder of the data set; further splits of the same track go to the same folder.
    track
        ``s7`` or ``p20``.
    split
        ``train``, ``development`` or ``test``.
    scenes, rows, columns
        How many photos, and the grid of tiles of each (6×8 in the real data).
    first_photo
        Number of the first photo; numbers may not overlap with another split's in this folder.
    seed
        The same arguments make the same bytes on one machine, however many jobs share the work.
    jobs
        Processes; by default one per usable core.
    on_progress
        Called with (done, total) after every photo.

    Raises
    ------
    BaselineError
        If an argument is out of range, or the folder holds what would not fit together with this split.
    """
    first = PhotoPlan(track, split, first_photo, rows, columns, seed)
    _check_arguments(first, scenes, jobs)
    rgb_folder, raw_folder = out / f"{split}_rgb", out / f"{split}_raw"
    plans = [replace(first, photo=first_photo + number) for number in range(scenes)]
    readme = _readme(track)
    _check_folder(out, split, plans, readme)
    for folder in (rgb_folder, raw_folder):
        folder.mkdir(parents=True, exist_ok=True)
    (out / "README.txt").write_text(readme, encoding="utf-8")
    workers = min(jobs or usable_cores(), scenes)
    for done, _ in enumerate(_write_all(plans, rgb_folder, raw_folder, workers), start=1):
        if on_progress is not None:
            on_progress(done, scenes)
    return DataSummary(
        track, split, tuple(plan.photo for plan in plans), scenes * rows * columns, rgb_folder, raw_folder
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write_all(plans: list[PhotoPlan], rgb_folder: Path, raw_folder: Path, workers: int) -> Iterator[int]:
    """Write every photo, yielding its number when it is there."""
    if workers == 1:
        for plan in plans:
            yield write_photo(plan, rgb_folder, raw_folder)
        return
    # spawn, since forking a process that has threads can deadlock
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = [pool.submit(write_photo, plan, rgb_folder, raw_folder) for plan in plans]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _check_arguments(first: PhotoPlan, scenes: int, jobs: int | None) -> None:
    if first.track not in CAMERAS:
        raise BaselineError(f"There is no track called {first.track!r}. Known: {', '.join(CAMERAS)}.")
    if first.split not in SPLITS:
        raise BaselineError(f"There is no split called {first.split!r}. Known: {', '.join(SPLITS)}.")
    for name, value, least in (
        ("number of scenes", scenes, 1),
        ("number of rows", first.rows, 1),
        ("number of columns", first.columns, 1),
        ("number of the first photo", first.photo, 0),
        ("seed", first.seed, 0),
        ("number of jobs", 1 if jobs is None else jobs, 1),
    ):
        if value < least:
            raise BaselineError(f"The {name} cannot be {value}: the least is {least}.")


def _check_folder(out: Path, split: str, plans: list[PhotoPlan], readme: str) -> None:
    """Refuse a folder of another track, a photo number of another split, and tiles of another grid."""
    present = out / "README.txt"
    if present.exists() and present.read_text(encoding="utf-8") != readme:
        raise BaselineError(f"{out} holds something else already: choose another folder.")
    photos = {plan.photo for plan in plans}
    planned = {name for plan in plans for name in plan.tile_names}
    for other in SPLITS:
        for file in sorted((out / f"{other}_rgb").glob("*.jpg")):
            match = re.fullmatch(r"(\d+)_\d+", file.stem)
            if match is None or int(match[1]) not in photos:
                continue
            if other != split:
                raise BaselineError(f"Photo {match[1]} is in split {other} already: use another first photo.")
            if file.stem not in planned:
                raise BaselineError(f"{out} has tile {file.stem} from another grid: choose another folder.")


def _readme(track: str) -> str:
    camera = CAMERAS[track]
    credit_lines = [f"  {photo.file:<23}{photo.credit}" for photos in PHOTOGRAPHS.values() for photo in photos]
    return README.format(
        track=track,
        tile=camera.tile_size,
        half=camera.tile_size // 2,
        black=camera.black_level,
        white=camera.white_level,
        photographs="\n".join(sorted(credit_lines)),
    )
