"""A look at a split: how many pairs, their shapes and levels, and a contact sheet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from baselines.cfa import RGGB_OFFSETS, ULTRAISP_OFFSETS
from baselines.data.pairs import find_pairs
from scoring.render import visualise

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from baselines.data.pairs import PairSet
    from baselines.tracks import Track

CHANNELS = ("R", "G (first row)", "G (second row)", "B")
SHEET_TILES = 12
SHEET_COLUMNS = 6
THUMBNAIL = 168
LEVEL_SCALES = {"rgb-to-raw": 1024, "raw-to-rgb": 4096}


@dataclass(frozen=True)
class SplitSummary:
    """The findings.

    Attributes
    ----------
    track, split
        The files that were examined.
    pairs, photos
        How many.
    rgb_shape, raw_shape
        Of a tile; the RAW packed.
    lowest, highest
        The least and the largest level of all RAW.
    mean_levels
        Of the packed channels in R, G, G, B order.
    mean_rgb
        Mean red, green and blue of 0..255.
    sha256
        Of all names and files.
    """

    track: str
    split: str
    pairs: int
    photos: int
    rgb_shape: tuple[int, ...]
    raw_shape: tuple[int, ...]
    lowest: int
    highest: int
    mean_levels: tuple[float, ...]
    mean_rgb: tuple[float, ...]
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def text(self) -> str:
        """Return the lines for a terminal."""
        levels = ", ".join(f"{name} {level:.1f}" for name, level in zip(CHANNELS, self.mean_levels, strict=True))
        colours = " ".join(f"{value:.1f}" for value in self.mean_rgb)
        return (
            f"track {self.track}, split {self.split}: {self.pairs} pairs of {self.photos} photos\n"
            f"RGB  {_shape(self.rgb_shape)} uint8, mean {colours}\n"
            f"RAW  {_shape(self.raw_shape)} uint16 (packed), levels {self.lowest} to {self.highest}, mean {levels}\n"
            f"sha256 {self.sha256}"
        )


def inspect_split(data: Path, track: Track, split: str, sheet: Path | None = None) -> SplitSummary:
    """Read every pair of a split, and draw some of them.

    Parameters
    ----------
    data, track, split
        The files to examine.
    sheet
        Where to write a PNG of at most twelve pairs, RGB above its RAW; none: nothing is drawn.

    Raises
    ------
    InputError
        If there is no such split, or a file is damaged.
    """
    pairs = find_pairs(data, track, split)
    lowest, highest = np.iinfo(np.uint16).max, 0
    levels, colours = np.zeros(4), np.zeros(3)
    for pair in pairs.pairs:
        raw, rgb = rggb_of(pairs.load_raw(pair), track), pairs.load_rgb(pair)
        lowest, highest = min(lowest, int(raw.min())), max(highest, int(raw.max()))
        levels += raw.mean(axis=(0, 1))
        colours += rgb.mean(axis=(0, 1))
    if sheet is not None:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(contact_sheet(pairs)).save(sheet)
    count = len(pairs.pairs)
    return SplitSummary(
        track=track.name,
        split=split,
        pairs=count,
        photos=len({pair.name.rpartition("_")[0] for pair in pairs.pairs}),
        rgb_shape=track.rgb_shape,
        raw_shape=track.packed_shape,
        lowest=lowest,
        highest=highest,
        mean_levels=tuple(float(level) for level in levels / count),
        mean_rgb=tuple(float(value) for value in colours / count),
        sha256=pairs.sha256(),
    )


def rggb_of(packed: NDArray[np.uint16], track: Track) -> NDArray[np.uint16]:
    """Return a packed RAW in R, G, G, B order, whichever its track stores."""
    if not track.reads_raw:
        return packed
    return packed[..., [ULTRAISP_OFFSETS.index(offset) for offset in RGGB_OFFSETS]]


def contact_sheet(pairs: PairSet) -> NDArray[np.uint8]:
    """Draw some pairs, evenly chosen, each RGB above its RAW as the scoring pictures show it; uint8 H×W×3."""
    chosen = np.unique(np.linspace(0, len(pairs.pairs) - 1, SHEET_TILES).round().astype(int))
    scale = LEVEL_SCALES[pairs.track.task]
    cells = []
    for number in chosen:
        pair = pairs.pairs[number]
        raw = visualise(rggb_of(pairs.load_raw(pair), pairs.track), data_range=scale)
        cells.append(np.concatenate([_thumbnail(pairs.load_rgb(pair)), _thumbnail(raw)]))
    columns = min(SHEET_COLUMNS, len(cells))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.concatenate(cells[start : start + columns], axis=1) for start in range(0, len(cells), columns)]
    return np.concatenate(rows)


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(image).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX))


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(str(side) for side in shape)
