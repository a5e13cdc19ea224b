"""Builds a track's starter kit."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.data.make import make_data
from baselines.errors import BaselineError
from baselines.starter_kit.cells import to_notebook
from baselines.submission import ZIP_EPOCH
from baselines.tracks import TRACKS
from scoring import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baselines.tracks import Track

PACKAGE = Path(__file__).parent
# The notebooks are about RGB → RAW.
KIT_TRACKS = {name: track for name, track in TRACKS.items() if not track.reads_raw}
PACKAGES = PACKAGE.parents[1]
# Packages that its code and notebooks need; the versions are those of pyproject.toml.
REQUIREMENTS = (
    "isal>=1.9", "numba>=0.68", "numpy>=2.4", "pillow>=13", "scikit-image>=0.26", "scipy>=1.17", "tqdm>=4.70",
    "safetensors>=0.8", "torch==2.13.0", "matplotlib>=3.11", "ipykernel>=7.4", "notebook",
)  # fmt: skip
TRAIN_TILES, VAL_TILES = 6, 3
# A kit's own weights would be half of it; they come with each baseline's own download.
LEFT_OUT = {"__pycache__", "weights", "starter_kit"}
STORED = {".jpg"}

README = """\
# Starter kit: {title}

Everything for a first submission to a track that is scored by `{protocol}`: sample pairs, two notebooks, and the code
that they run. Made by Bayerboard {version}.

## Start

Python 3.11 or later. Unpack the zip, and in its folder:

```sh
python -m pip install -r requirements.txt
python -m notebook notebooks
```

On a machine without an NVIDIA GPU, install torch's CPU build first: it is a tenth of the size.

| notebook | what it does |
| --- | --- |
| `notebooks/1-look-at-pairs.ipynb` | loads and shows RGB and RAW: pack, unpack, visualise, histograms |
| `notebooks/2-first-submission.ipynb` | trains a U-Net for a few steps, predicts, checks the zip, scores it locally |

## Without a notebook

```sh
python -m baselines predict mosaic --track {track} --input sample/val_rgb --output submission.zip
python -m scoring check --protocol {protocol} --reference sample/val_raw --submission submission.zip
python -m scoring score --protocol {protocol} --reference sample/val_raw --submission submission.zip
```

## What is here

| folder | |
| --- | --- |
| `sample/train_rgb`, `sample/train_raw` | {train} pairs to look at and to learn from |
| `sample/val_rgb`, `sample/val_raw` | {val} pairs to score yourself; a test set's RAW stays hidden |
| `notebooks/` | the two notebooks |
| `baselines/`, `scoring/` | methods, and the same check and score as the site's |

{origin}

Apache-2.0, as Bayerboard: https://www.apache.org/licenses/LICENSE-2.0
"""
SYNTHETIC = (
    "The sample is synthetic: a camera model took composed scenes (see `sample/README.txt`). No score on it can be "
    "compared with a published one."
)
GIVEN = "The sample is a part of the challenge's own data: its terms apply."


def build_kit(track: str, output: Path, data: Path | None = None) -> int:
    """Write a track's starter kit; return its size in bytes. The same arguments make the same bytes.

    Parameters
    ----------
    track
        ``s7`` or ``p20``.
    output
        The zip to write; it appears under this name only when it is whole.
    data
        Folder with ``train_rgb/*.jpg`` and ``train_raw/*.npy`` whose first tiles become the sample; without it the
        sample is synthetic.

    Raises
    ------
    BaselineError
        If there is no such track, or the data have too few pairs.
    """
    if track not in KIT_TRACKS:
        raise BaselineError(f"There is no starter kit for a track called {track!r}. Known: {', '.join(KIT_TRACKS)}.")
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        kit = Path(folder) / "kit"
        _sample(track, kit / "sample", data)
        _texts(KIT_TRACKS[track], kit, SYNTHETIC if data is None else GIVEN)
        for package in ("baselines", "scoring"):
            shutil.copytree(PACKAGES / package, kit / package, ignore=shutil.ignore_patterns(*LEFT_OUT))
        draft = Path(folder) / "kit.zip"
        _write_zip(draft, kit, f"starter-kit-{track}")
        draft.replace(output)
    return output.stat().st_size


def _sample(track: str, sample: Path, data: Path | None) -> None:
    if data is None:
        made = sample.with_name("made")
        make_data(made, track, "train", scenes=1, rows=3, columns=3, first_photo=1, jobs=1)
        data = made
    pairs = [(rgb, data / "train_raw" / f"{rgb.stem}.npy") for rgb in sorted((data / "train_rgb").glob("*.jpg"))]
    pairs = [pair for pair in pairs if pair[1].is_file()]
    if len(pairs) <= VAL_TILES:
        raise BaselineError(f"{data} needs more than {VAL_TILES} pairs in train_rgb/*.jpg and train_raw/*.npy.")
    for number, pair in enumerate(pairs[: TRAIN_TILES + VAL_TILES]):
        split = "val" if number < VAL_TILES else "train"
        for kind, file in zip(("rgb", "raw"), pair, strict=True):
            target = sample / f"{split}_{kind}"
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / file.name)
    if (data / "README.txt").is_file():
        shutil.copyfile(data / "README.txt", sample / "README.txt")
    if data == sample.with_name("made"):
        shutil.rmtree(data)


def _texts(track: Track, kit: Path, origin: str) -> None:
    count = {split: len(list((kit / "sample" / f"{split}_rgb").iterdir())) for split in ("train", "val")}
    readme = README.format(
        title=track.title, protocol=track.protocol, track=track.name, version=__version__, origin=origin, **count
    )
    (kit / "README.md").write_text(readme, encoding="utf-8")
    (kit / "requirements.txt").write_text("".join(f"{line}\n" for line in REQUIREMENTS), encoding="utf-8")
    (kit / "notebooks").mkdir()
    for file in sorted((PACKAGE / "notebooks").glob("*.py")):
        notebook = to_notebook(for_track(file.read_text(encoding="utf-8"), track))
        (kit / "notebooks" / f"{file.stem}.ipynb").write_text(notebook, encoding="utf-8")


def for_track(source: str, track: Track) -> str:
    """Return a notebook's source with its first line ``TRACK = …`` naming another track."""
    source = re.sub(r'^TRACK = ".*"$', f'TRACK = "{track.name}"', source, flags=re.MULTILINE)
    return re.sub(
        r'^TRACK, PROTOCOL, STEPS = ".*", ".*", (\d+)$',
        rf'TRACK, PROTOCOL, STEPS = "{track.name}", "{track.protocol}", \1',
        source,
        flags=re.MULTILINE,
    )


def _write_zip(path: Path, folder: Path, root: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for file in _files(folder):
            entry = zipfile.ZipInfo(f"{root}/{file.relative_to(folder).as_posix()}", ZIP_EPOCH)
            entry.external_attr = 0o644 << 16
            kind = zipfile.ZIP_STORED if file.suffix in STORED else zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes(), kind)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())
