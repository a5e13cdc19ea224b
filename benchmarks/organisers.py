"""The organisers' way of scoring, as a plain script: zipfile, np.load, and the formulas in float64 by scipy.

python benchmarks/organisers.py REFERENCE_FOLDER SUBMISSION.zip
"""

from __future__ import annotations

import io
import math
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pair(reference: NDArray[np.uint16], submission: NDArray[np.uint16]) -> tuple[float, float]:
    """Return PSNR and SSIM of two H×W×4 images of 10 bits."""
    a, b = reference / 1024, submission / 1024
    mse = float(np.mean((a - b) ** 2))
    channels = [_ssim(a[..., channel], b[..., channel]) for channel in range(a.shape[2])]
    return (10 * math.log10(1 / mse) if mse else 999.0), float(np.mean(channels))


def _ssim(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    ux, uy = gaussian_filter(x, 1.5), gaussian_filter(y, 1.5)
    vx = gaussian_filter(x * x, 1.5) - ux * ux
    vy = gaussian_filter(y * y, 1.5) - uy * uy
    vxy = gaussian_filter(x * y, 1.5) - ux * uy
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * ux * uy + c1) * (2 * vxy + c2)) / ((ux**2 + uy**2 + c1) * (vx + vy + c2))
    return float(similarity[5:-5, 5:-5].mean())


def main() -> None:
    references = sorted(Path(sys.argv[1]).glob("*.npy"))
    with zipfile.ZipFile(sys.argv[2]) as archive:
        members = sorted(name for name in archive.namelist() if name.endswith(".npy"))
        scores = [
            pair(np.load(reference), np.load(io.BytesIO(archive.read(member))))
            for reference, member in zip(references, members, strict=True)
        ]
    print("PSNR:{:f} SSIM:{:f}".format(*np.mean(scores, axis=0)))


if __name__ == "__main__":
    main()
