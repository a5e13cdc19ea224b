"""A baseline as one small zip that runs on its own: code, card, README, requirements and a sample input."""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from baselines.catalogue import get_method
from baselines.submission import ZIP_EPOCH
from baselines.tracks import TRACKS
from scoring import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baselines.catalogue import Method
    from baselines.tracks import Track

PACKAGE = Path(__file__).parent
# The files of `python -m baselines predict`, apart from the method itself.
SHARED_MODULES = (
    "__init__.py",
    "__main__.py",
    "catalogue.py",
    "cfa.py",
    "commands/__init__.py",
    "commands/predict.py",
    "data/__init__.py",
    "data/frames.py",
    "equipment.py",
    "errors.py",
    "inputs.py",
    "predict.py",
    "submission.py",
    "terminal.py",
    "tracks.py",
)
REQUIREMENTS = ("numpy>=2.4", "pillow>=13")
TORCH_REQUIREMENTS = ("safetensors>=0.8", "torch==2.13.0")
SAMPLE_NAME = "1_0"

README = """\
# {title}: a Bayerboard baseline

{summary}

This is `{name}` of Bayerboard {version}. `CARD.md` says what it does and what it does not.

## Install

Python 3.11 or later. Unpack the zip in an empty folder, and there:

```sh
python -m pip install -r requirements.txt
```

## Run

```sh
{commands}
```

Each writes a submission that can be uploaded as it is: a file per image and a `readme.txt` with the runtime that
was measured on your machine. The samples are drawn test cards; put the folder of a track's files, or a zip of them, in
their place.

## What is here

- `baselines/{name}/model.py`: the method, and its weights where it has any
- `baselines/`: reading the tiles, writing the submission, the command line
- `sample/`: one test card per track

## Licence

Apache-2.0, as Bayerboard: https://www.apache.org/licenses/LICENSE-2.0
"""


def download_name(method: str) -> str:
    """Return the file name to offer a method's zip under."""
    return f"bayerboard-{get_method(method).name}-{__version__}.zip"


def download_sha256(method: str) -> str:
    """Return the SHA-256 of a method's zip, in hexadecimal."""
    return hashlib.sha256(build_download(method)).hexdigest()


@cache
def build_download(method: str) -> bytes:
    """Build a method's zip.

    Parameters
    ----------
    method
        Name of a baseline of the catalogue.

    Returns
    -------
    The bytes of the zip; the same for the same installation, whenever it is built.

    Raises
    ------
    UnknownMethod
        If the catalogue has no such method.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in _contents(get_method(method)):
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _contents(method: Method) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every file, in the zip's order."""
    yield "README.md", _readme(method).encode()
    yield "CARD.md", method.card.read_bytes()
    yield "requirements.txt", "".join(f"{line}\n" for line in requirements(method)).encode()
    for module in _modules(method):
        yield f"baselines/{module}", (PACKAGE / module).read_bytes()
    for file in sorted((PACKAGE / method.name).iterdir()):
        if file.suffix in {".py", ".md"}:
            yield f"baselines/{method.name}/{file.name}", file.read_bytes()
    for file in sorted((PACKAGE / method.name / "weights").glob("*")):
        yield f"baselines/{method.name}/weights/{file.name}", file.read_bytes()
    for track in method.tracks:
        yield _sample(TRACKS[track])


def requirements(method: Method) -> tuple[str, ...]:
    """Return the packages that have to be installed to run a method."""
    return REQUIREMENTS + (TORCH_REQUIREMENTS if method.trained else ())


def _modules(method: Method) -> list[str]:
    """Return the modules that a method's own files and the command need."""
    modules = [*SHARED_MODULES]
    if method.name != "mosaic":
        modules.append("data/camera.py")
    if method.trained:
        modules += ["data/batches.py", "data/pairs.py"]
        modules += [f"learning/{file.name}" for file in (PACKAGE / "learning").glob("*.py")]
    return sorted(modules)


def _sample(track: Track) -> tuple[str, bytes]:
    """Return the name and the bytes of a track's sample."""
    if not track.reads_raw:
        return f"sample/{track.name}/{SAMPLE_NAME}.jpg", _test_card(track.tile_size)
    buffer = io.BytesIO()
    grey = np.linspace(0, 4000, track.tile_size).astype(np.uint16)
    Image.fromarray(np.broadcast_to(grey, (track.tile_size, track.tile_size)).copy()).save(buffer, "PNG")
    return f"sample/{track.name}/{SAMPLE_NAME}.png", buffer.getvalue()


def _readme(method: Method) -> str:
    commands = [
        f"python -m baselines predict {method.name} --track {track} --input sample/{track} "
        f"--output submission-{track}.zip"
        for track in method.tracks
    ]
    return README.format(
        title=method.title,
        name=method.name,
        summary=method.summary,
        version=__version__,
        commands="\n".join(commands),
    )


def _test_card(size: int) -> bytes:
    """Draw a JPG of size×size: ramps of the colours from black to full, each with its hue."""
    bands = np.array([[1, 1, 1], [1, 0.3, 0.2], [0.3, 0.8, 0.3], [0.2, 0.4, 1], [1, 0.8, 0.2], [0.6, 0.4, 0.3]])
    ramp = np.linspace(0, 1, size)[None, :, None]
    colour = bands[np.arange(size) * len(bands) // size][:, None, :]
    buffer = io.BytesIO()
    Image.fromarray(np.rint(255 * ramp * colour).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
