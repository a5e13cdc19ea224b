"""Making a data set: one split of it, or all of it in the layout that a challenge gives out."""

from __future__ import annotations

import multiprocessing
import os
import re
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from baselines.data.camera import CAMERAS, SECOND_CAMERAS
from baselines.data.photographs import divide_photographs
from baselines.data.scenes import PHOTOGRAPHS, SPLITS
from baselines.data.synthetic import PhotoPlan, write_photo
from baselines.errors import BaselineError
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    OnProgress = Callable[[int, int], None]

README = """\
Synthetic RGB – RAW pairs in the layout of {layout}, track {track}.

SYNTHETIC: these are not the challenge's data. They were made by Bayerboard's demo camera model from {scenes};
no phone took them. Scores on them are not comparable to any published figure.

{files}
  TILE counts row by row from 0; a photo is in one split only.
{credits}"""
AIM22_FILES = """\
  SPLIT_rgb/PHOTO_TILE.jpg   the input: 8-bit RGB, {tile}x{tile}
  SPLIT_raw/PHOTO_TILE.npy   the target: uint16 packed RAW in R, G, G, B order, {half}x{half}x4,
                             black level {black}, white level {white}
  train/                     where it is there: both files of the training pairs, side by side"""
ULTRAISP_FILES = """\
  SPLIT/mediatek_raw/PHOTO_TILE.png   the input: 16-bit PNG of an RGGB Bayer plane, {tile}x{tile},
                                      black level {black}, white level {white}
  SPLIT/fujifilm/PHOTO_TILE.png       the target: 8-bit RGB, {tile}x{tile}"""
CREDITS = """
The scenes are collages, textured with photographs from scikit-image's data folder (skimage/data). The
documentation of skimage.data tells where each comes from and how it may be used:
{photographs}
"""
# The validation and the test set have a quarter as many photos as the training set.
TRAIN_SHARE = 4


@dataclass(frozen=True)
class DataSummary:
    """The result of `make_data`.

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


@dataclass(frozen=True)
class Part:
    """A split of a whole data set: its folders' name, and how its photos are made."""

    name: str
    split: str
    photos: int
    second_camera: bool = False


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
    on_progress: OnProgress | None = None,
) -> DataSummary:
    """Make one split of a data set: ``out/{split}_rgb/*.jpg``, ``out/{split}_raw/*.npy`` and ``README.txt``.

    Parameters
    ----------
    out
        Folder of the data set; further splits of the same track go to the same folder.
    track
        ``s7``, ``p20``, or ``mai22`` with ``out/{split}/mediatek_raw`` and ``out/{split}/fujifilm``.
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
        If an argument is out of range, or the folder holds data that would not fit together with this split.
    """
    first = PhotoPlan(track, split, first_photo, rows, columns, seed)
    _check_arguments(first, scenes, jobs)
    plans = [replace(first, photo=first_photo + number) for number in range(scenes)]
    readme = readme_of(track)
    _check_folder(out, split, plans, readme)
    rgb_folder, raw_folder = folders_of(out, track, split)
    work = [(plan, rgb_folder, raw_folder) for plan in plans]
    _make(out, readme, work, jobs, on_progress)
    return DataSummary(
        track, split, tuple(plan.photo for plan in plans), scenes * rows * columns, rgb_folder, raw_folder
    )


def make_challenge_data(
    out: Path,
    track: str,
    *,
    scenes: int = 12,
    rows: int = 2,
    columns: int = 3,
    seed: int = 0,
    photographs: Path | None = None,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[DataSummary]:
    """Make a whole data set in a new folder, as a challenge gives it out.

    AIM 2022: ``train/`` with both files of each pair, ``val_rgb/`` and the hidden ``val_raw/``, ``test_rgb/`` and
    ``test_raw/``, and ``test2_…`` from a second camera. UltraISP: ``{train,val,test}/{mediatek_raw,fujifilm}/``.

    Parameters
    ----------
    scenes
        Training photos; the other splits have a quarter as many, at least one. Ignored with `photographs`.
    photographs
        A folder of photographs that are the scenes, divided by photo; none: scenes are composed.

    The others are those of `make_data`.

    Raises
    ------
    BaselineError
        If an argument is out of range, the folder is not empty, or a photograph is too small.
    """
    first = PhotoPlan(track, "train", 0, rows, columns, seed)
    _check_arguments(first, scenes, jobs)
    if out.is_dir() and any(out.iterdir()):
        raise BaselineError(f"{out} holds something else already: choose another folder.")
    if photographs is None:
        divided = None
        counts = {"train": scenes, "val": max(1, scenes // TRAIN_SHARE), "test": max(1, scenes // TRAIN_SHARE)}
    else:
        divided = divide_photographs(photographs, 2 * first.frame[0], 2 * first.frame[1], seed)
        counts = {name: len(files) for name, files in divided.items()}
    work, summaries, photo = [], [], 0
    for part in _parts(track, counts):
        rgb_folder, raw_folder = folders_of(out, track, part.name, side_by_side=part.name == "train")
        plans = [
            replace(
                first,
                split=part.split,
                photo=photo + number,
                second_camera=part.second_camera,
                photograph=None if divided is None else divided[part.name.removesuffix("2")][number],
            )
            for number in range(part.photos)
        ]
        photo += part.photos
        work += [(plan, rgb_folder, raw_folder) for plan in plans]
        numbers = tuple(plan.photo for plan in plans)
        summaries.append(DataSummary(track, part.name, numbers, len(plans) * rows * columns, rgb_folder, raw_folder))
    _make(out, readme_of(track, composed=photographs is None), work, jobs, on_progress)
    return summaries


def folders_of(out: Path, track: str, split: str, *, side_by_side: bool = False) -> tuple[Path, Path]:
    """Return the folders of a split's RGB and RAW files."""
    if TRACKS[track].reads_raw:
        return out / split / "fujifilm", out / split / "mediatek_raw"
    if side_by_side:
        return out / split, out / split
    return out / f"{split}_rgb", out / f"{split}_raw"


def readme_of(track: str, *, composed: bool = True) -> str:
    """Return the text that lies in a data set's folder."""
    camera, reads_raw = CAMERAS[track], TRACKS[track].reads_raw
    credit_lines = [f"  {photo.file:<23}{photo.credit}" for photos in PHOTOGRAPHS.values() for photo in photos]
    files = (ULTRAISP_FILES if reads_raw else AIM22_FILES).format(
        tile=camera.tile_size,
        half=camera.tile_size // 2,
        black=camera.black_level,
        white=camera.white_level,
    )
    return README.format(
        layout="Fujifilm UltraISP" if reads_raw else "AIM 2022 Reversed ISP",
        track=track,
        scenes="composed\nscenes" if composed else "photographs\nof your own",
        files=files,
        credits=CREDITS.format(photographs="\n".join(sorted(credit_lines))) if composed else "",
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _parts(track: str, counts: dict[str, int]) -> list[Part]:
    parts = [
        Part("train", "train", counts["train"]),
        Part("val", "development", counts["val"]),
        Part("test", "test", counts["test"]),
    ]
    if track in SECOND_CAMERAS:
        parts.append(Part("test2", "test", counts["test"], second_camera=True))
    return parts


def _make(
    out: Path, readme: str, work: list[tuple[PhotoPlan, Path, Path]], jobs: int | None, on_progress: OnProgress | None
) -> None:
    for _, *folders in work:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
    (out / "README.txt").write_text(readme, encoding="utf-8")
    workers = min(jobs or usable_cores(), len(work))
    for done, _ in enumerate(_write_all(work, workers), start=1):
        if on_progress is not None:
            on_progress(done, len(work))


def _write_all(work: list[tuple[PhotoPlan, Path, Path]], workers: int) -> Iterator[int]:
    """Write every photo, yielding its number when it is there."""
    if workers == 1:
        for item in work:
            yield write_photo(*item)
        return
    # spawn, since forking a process that has threads can deadlock
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = [pool.submit(write_photo, *item) for item in work]
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
    track = plans[0].track
    photos = {plan.photo for plan in plans}
    planned = {name for plan in plans for name in plan.tile_names}
    for other in SPLITS:
        folder = folders_of(out, track, other)[0]
        for file in sorted(folder.glob("*.png" if TRACKS[track].reads_raw else "*.jpg")):
            match = re.fullmatch(r"(\d+)_\d+", file.stem)
            if match is None or int(match[1]) not in photos:
                continue
            if other != split:
                raise BaselineError(f"Photo {match[1]} is in split {other} already: use another first photo.")
            if file.stem not in planned:
                raise BaselineError(f"{out} has tile {file.stem} from another grid: choose another folder.")
