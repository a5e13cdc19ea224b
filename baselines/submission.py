"""Writing a submission zip: one .npy per tile and the organisers' readme.txt, in their four lines."""

from __future__ import annotations

import io
import os
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

RGB_CHANNELS = 3
# The oldest time that a zip can hold: the same pixels make the same bytes on any day.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Readme:
    """The declarations in a submission's readme.txt.

    Attributes
    ----------
    runtime_s
        Seconds per image.
    device
        Where it ran.
    extra_data
        Whether more than the track's training data was used.
    description
        The method in words; line breaks become spaces.
    """

    runtime_s: float
    device: Literal["cpu", "gpu"]
    extra_data: bool
    description: str

    def text(self) -> str:
        """Return the organisers' four lines, which are parsed by their position."""
        return (
            f"runtime per frame [s] : {self.runtime_s:.6f}\n"
            f"CPU[1] / GPU[0] : {int(self.device == 'cpu')}\n"
            f"Extra Data [1] / No Extra Data [0] : {int(self.extra_data)}\n"
            f"Other description : {' '.join(self.description.split())}\n"
        )


class SubmissionWriter:
    """Adds files to a submission zip that is being written; see `write_submission`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add_image(self, name: str, image: NDArray[Any]) -> None:
        """Add one tile under its stem: RGB uint8 H×W×3 as .png, anything else, such as packed RAW, as .npy."""
        buffer = io.BytesIO()
        if image.dtype == np.uint8 and image.shape[-1] == RGB_CHANNELS:
            Image.fromarray(image).save(buffer, "PNG")
            self.add_bytes(f"{name}.png", buffer.getvalue())
        else:
            np.lib.format.write_array(buffer, np.ascontiguousarray(image), allow_pickle=False)
            self.add_bytes(f"{name}.npy", buffer.getvalue())

    def add_readme(self, readme: Readme) -> None:
        """Add readme.txt."""
        self.add_bytes("readme.txt", readme.text().encode())

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add any file."""
        entry = zipfile.ZipInfo(name, ZIP_EPOCH)
        entry.external_attr = 0o644 << 16
        # Noisy RAW hardly shrinks further at the higher levels, which take four times as long.
        self._archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=1)


@contextmanager
def write_submission(output: Path) -> Iterator[SubmissionWriter]:
    """Write a submission zip that appears under its name only when it is whole.

    Raises
    ------
    OSError
        If it cannot be written. After any error, an older file of that name stays as it was.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            yield SubmissionWriter(archive)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
