"""Reading RGB – RAW pairs of a data set on disk, in the layouts of AIM 2022 Reversed ISP and of Fujifilm UltraISP.

AIM 2022: ``train/{photo}_{tile}.jpg`` beside ``train/{photo}_{tile}.npy``, or ``{split}_rgb/`` and ``{split}_raw/``.
UltraISP: ``{split}/mediatek_raw/*.png`` (16-bit Bayer) and ``{split}/fujifilm/*.png`` (8-bit RGB).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baselines.cfa import pack_ultraisp
from baselines.data.frames import Grid, grid_of
from baselines.errors import InputError
from baselines.inputs import decode_bayer_png, decode_jpg, decode_rgb_png, natural_key

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from baselines.tracks import Track


@dataclass(frozen=True)
class Pair:
    """One tile on disk.

    Attributes
    ----------
    name
        Its stem.
    rgb, raw
        Its two files.
    """

    name: str
    rgb: Path
    raw: Path


@dataclass(frozen=True)
class PairSet:
    """The pairs of one split.

    Attributes
    ----------
    track
        The track, which determines the form of the files.
    pairs
        In natural order of their names.
    grid
        How the photos were cut.
    """

    track: Track
    pairs: tuple[Pair, ...]
    grid: Grid

    def load_rgb(self, pair: Pair) -> NDArray[np.uint8]:
        """Decode a pair's RGB, uint8 H×W×3; InputError where it is damaged or of another size."""
        decode = decode_rgb_png if self.track.reads_raw else decode_jpg
        return decode(_bytes_of(pair.rgb), pair.rgb.name, self.track)

    def load_raw(self, pair: Pair) -> NDArray[np.uint16]:
        """Read a pair's packed RAW, uint16 H/2×W/2×4: in R, G, G, B order; UltraISP's in B, Gb, R, Gr.

        Raises
        ------
        InputError
            If the file is damaged, or not of the track's shape and type.
        """
        if self.track.reads_raw:
            return pack_ultraisp(decode_bayer_png(_bytes_of(pair.raw), pair.raw.name, self.track))
        return load_packed_raw(pair.raw, self.track)

    def sha256(self) -> str:
        """Return a hash of all names and files, which tells one data set from another."""
        digest = hashlib.sha256()
        for pair in self.pairs:
            for file in (pair.rgb, pair.raw):
                digest.update(f"{file.name}\0".encode())
                digest.update(hashlib.sha256(_bytes_of(file)).digest())
        return digest.hexdigest()


def load_packed_raw(file: Path, track: Track) -> NDArray[np.uint16]:
    """Read a packed RAW in AIM 2022's ``.npy``; InputError where it is not uint16 of the track's shape."""
    try:
        with file.open("rb") as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{file.name} is no readable .npy array: {error}.") from error
    if array.dtype != np.uint16 or array.shape != track.packed_shape:
        raise InputError(f"{file.name} is {array.dtype} {array.shape}; track {track.name} has {track.packed_shape}.")
    packed_raw: NDArray[np.uint16] = array
    return packed_raw


def find_folders(data: Path, track: Track, split: str) -> tuple[Path, Path]:
    """Return the folders of a split's RGB and RAW files, which are one where the pairs lie side by side.

    Raises
    ------
    InputError
        If the data set has no such split.
    """
    if track.reads_raw:
        candidates = [(data / split / "fujifilm", data / split / "mediatek_raw")]
    else:
        candidates = [(data / f"{split}_rgb", data / f"{split}_raw"), (data / split, data / split)]
    for rgb, raw in candidates:
        if rgb.is_dir() and raw.is_dir():
            return rgb, raw
    looked_for = " or ".join(
        " and ".join(dict.fromkeys(f"{path.relative_to(data)}/" for path in two)) for two in candidates
    )
    raise InputError(f"{data} has no pairs of split {split!r}: there is no {looked_for}.")


def find_pairs(data: Path, track: Track, split: str) -> PairSet:
    """Find the pairs of a split; no pixel is read yet.

    Raises
    ------
    InputError
        If there is no such split, it is empty, or a file has no partner; the text names it.
    """
    rgb_folder, raw_folder = find_folders(data, track, split)
    rgb = {file.stem: file for file in rgb_folder.glob("*.png" if track.reads_raw else "*.jpg")}
    raw = {file.stem: file for file in raw_folder.glob("*.png" if track.reads_raw else "*.npy")}
    alone = sorted(rgb.keys() ^ raw.keys(), key=natural_key)
    if alone:
        missing = "RAW" if alone[0] in rgb else "RGB"
        raise InputError(
            f"{len(alone)} tiles of split {split!r} have no partner, the first is {alone[0]}: no {missing}."
        )
    if not rgb:
        raise InputError(f"{rgb_folder} has no tiles in it.")
    names = sorted(rgb, key=natural_key)
    return PairSet(track, tuple(Pair(name, rgb[name], raw[name]) for name in names), grid_of(names))


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error.strerror}.") from error
