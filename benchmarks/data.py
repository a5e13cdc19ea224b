"""Test sets made on the fly: smooth scenes with a camera's noise, and predictions that lack most of it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIDE_PX = 252
TILES = 48


def scene(height: int, width: int, seed: int, *, channels: int = 4) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return a packed RAW of 10 bits and a prediction of it."""
    generator = np.random.default_rng(seed)
    smooth = gaussian_filter(generator.normal(size=(height, width, channels)), (9, 9, 0))
    smooth = 60 + 500 * (smooth - smooth.min()) / np.ptp(smooth)
    noise = generator.normal(size=smooth.shape)
    reference = smooth + noise * np.sqrt(smooth) * 0.25
    prediction = smooth * 0.99 + noise * 0.8
    to_levels = [np.clip(np.round(image), 0, 1023).astype(np.uint16) for image in (reference, prediction)]
    return to_levels[0], to_levels[1]


def make_test_set(
    folder: Path, images: int, *, level: int = 6, pack_references: bool = False
) -> tuple[Path, Path, Path]:
    """Write references (a folder, or a zip if wanted) and a submission as ``zip`` packs it; 48 tiles, repeated."""
    reference, packed, submission = folder / "reference", folder / "reference.zip", folder / "submission.zip"
    reference.mkdir()
    pairs = [scene(SIDE_PX, SIDE_PX, seed) for seed in range(TILES)]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as truth, \
         zipfile.ZipFile(submission, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:  # fmt: skip
        archive.writestr("submission/readme.txt", "Runtime per frame [s] : 0.1\nCPU[1] / GPU[0] : 1\nExtra Data : 0\n")
        for number in range(images):
            # Names of one length, so that the organisers' sorted lists agree for any sorting.
            name = f"{number // TILES:03}_{number % TILES:02}.npy"
            images_of_pair = [npy(image) for image in pairs[number % TILES]]
            if number < TILES:
                (reference / name).write_bytes(images_of_pair[0])
            else:
                (reference / name).hardlink_to(reference / f"000_{number % TILES:02}.npy")
            if pack_references:
                truth.writestr(name, images_of_pair[0])
            archive.writestr(f"submission/{name}", images_of_pair[1])
    return reference, packed, submission


def npy(image: NDArray[np.uint16]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, image)
    return buffer.getvalue()
