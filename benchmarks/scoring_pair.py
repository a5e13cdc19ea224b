"""PSNR and SSIM of one pair on one core, against scipy's and scikit-image's: ``python -m benchmarks.scoring_pair``."""

from __future__ import annotations

import os

from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmarks.data import scene
from benchmarks.organisers import pair
from benchmarks.timing import in_turns
from scoring.metrics import METRICS, fast

SIZES = (("252×252×4", 252, 252), ("248×248×4", 248, 248), ("12 Mpixel (1512×2016×4)", 1512, 2016))
OURS = "Bayerboard, compiled float64"
FORMULA = "formula, scipy float64"
SKIMAGE = "scikit-image float64"
EXACT = "Bayerboard's general way, scipy float64"


def measure(height: int, width: int, repeats: int) -> dict[str, float]:
    reference, submission = scene(height, width, seed=1)

    def ours() -> None:
        for metric in ("psnr", "ssim"):
            fast.measure(metric, reference, submission, data_range=1024)

    def skimage() -> None:
        a, b = reference / 1024, submission / 1024
        peak_signal_noise_ratio(a, b, data_range=1)  # type: ignore[no-untyped-call]
        structural_similarity(  # type: ignore[no-untyped-call]
            a, b, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )

    def general() -> None:
        for metric in ("psnr", "ssim"):
            METRICS[metric](reference, submission, data_range=1024)

    functions = {OURS: ours, FORMULA: lambda: pair(reference, submission), SKIMAGE: skimage, EXACT: general}
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return in_turns(functions, repeats)


def report(*, repeats: int = 21) -> str:
    lines = ["| pair | way | median | ratio to ours |", "| --- | --- | ---: | ---: |"]
    cores = os.sched_getaffinity(0)
    for label, height, width in SIZES:
        seconds = measure(height, width, repeats if height < 1000 else 3)
        lines += [
            f"| {label} | {way} | {taken * 1e3:.2f} ms | {taken / seconds[OURS]:.1f} |"
            for way, taken in seconds.items()
        ]
    os.sched_setaffinity(0, cores)
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
