"""A use of generated RAW: a small denoiser that learned from it, against one that did not.

Both learn for as many steps from noisy crops whose noise follows Brooks et al.'s formulas. One has a handful of RAW
tiles; the other has the same tiles and RAW that MBISPLD made of RGB. Both are measured on held-out RAW without noise,
to which the same noise is added: ``python -m baselines denoise --track s7 --data DIR``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.data.camera import CAMERAS, Exposure, expose, random_exposure
from baselines.mbispld.augment import generate_raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from baselines.data.pairs import PairSet
    from baselines.mbispld.model import Mbispld

CROP = 32  # packed pixels
BATCH = 8
RATE = 1e-3
SHOT = (1e-4, 0.012)
CHANNELS = 24


@dataclass(frozen=True)
class Comparison:
    """Mean PSNR in dB of held-out RAW: noisy as it is, and denoised by both."""

    noisy_db: float
    without_db: float
    with_db: float

    @property
    def margin_db(self) -> float:
        """How much better the one that learned from generated RAW is."""
        return self.with_db - self.without_db


class Denoiser(nn.Module):
    """Five 3×3 convolutions on packed RAW and its noise's deviation, N×8×H×W; their output is subtracted."""

    def __init__(self) -> None:
        super().__init__()
        widths = (8, CHANNELS, CHANNELS, CHANNELS, CHANNELS)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.find = nn.Sequential(*layers, nn.Conv2d(CHANNELS, 4, 3, padding=1))

    def forward(self, noisy: Tensor, deviation: Tensor) -> Tensor:
        """Return RAW without noise."""
        found: Tensor = self.find(torch.cat([noisy, deviation], dim=1))
        return noisy - found


def clean_raw(rgb: NDArray[np.uint8], track: str, seed: int) -> Tensor:
    """Take a scene with the track's camera and no noise: linear packed RAW 4×H/2×W/2 in 0..1."""
    camera, rng = CAMERAS[track], np.random.default_rng(seed)
    drawn = random_exposure(camera, rng)
    exposure = Exposure(drawn.rgb_gain, drawn.red_gain, drawn.blue_gain, shot=0.0, read=0.0)
    levels = expose(rgb.astype(np.float32) / np.float32(255), camera, exposure, rng)
    light = (levels.astype(np.float32) - camera.black_level) / (camera.white_level - camera.black_level)
    return torch.from_numpy(light).permute(2, 0, 1)


def add_noise(clean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Add noise of a random strength to every image; return the noisy ones and the deviation of every sample."""
    count = (clean.shape[0], 1, 1, 1)
    low, high = math.log(SHOT[0]), math.log(SHOT[1])
    log_shot = torch.rand(count, generator=generator) * (high - low) + low
    read = torch.exp(2.18 * log_shot + 1.20 + 0.26 * torch.randn(count, generator=generator))
    deviation = torch.sqrt(clean.clamp(min=0) * torch.exp(log_shot) + read)
    return clean + deviation * torch.randn(clean.shape, generator=generator), deviation


def compare(
    network: Mbispld,
    train: PairSet,
    test: PairSet,
    *,
    few: int = 5,
    generated: int = 40,
    steps: int = 600,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Train both denoisers and measure them.

    Parameters
    ----------
    network
        A trained MBISPLD of the track.
    train, test
        Where RGB and the few RAW tiles come from; no photo is in both.
    few, generated
        RAW tiles that both have, and RGB tiles of which RAW is generated for one of them.
    steps, seed
        Of each training; both draw the same noise and begin with the same weights.
    on_step
        Called with (done, total).
    """
    track = train.track.name
    pool = [clean_raw(train.load_rgb(pair), track, number) for number, pair in enumerate(train.pairs[:few])]
    generator = torch.Generator().manual_seed(seed)
    chosen = train.pairs[few : few + generated]
    made = [
        generate_raw(
            network,
            torch.from_numpy(train.load_rgb(pair)).permute(2, 0, 1)[None] / 255,
            torch.from_numpy(train.grid.place(pair.name))[None],
            generator,
        )[0]
        for pair in chosen
    ]
    held_out = [clean_raw(test.load_rgb(pair), track, 1000 + number) for number, pair in enumerate(test.pairs)]

    def count(done: int) -> None:
        if on_step is not None:
            on_step(done, 2 * steps)

    without = _learn(pool, steps, seed, count)
    enriched = _learn(pool + made, steps, seed, lambda done: count(steps + done))
    noise = torch.Generator().manual_seed(seed + 1)
    rows = [_measure(clean, without, enriched, noise) for clean in held_out]
    noisy_db, without_db, with_db = (sum(row[place] for row in rows) / len(rows) for place in range(3))
    return Comparison(noisy_db, without_db, with_db)


def _learn(pool: list[Tensor], steps: int, seed: int, on_step: Callable[[int], None]) -> Denoiser:
    torch.manual_seed(seed)
    denoiser, generator = Denoiser(), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(denoiser.parameters(), lr=RATE)
    for step in range(1, steps + 1):
        crops = torch.stack([_crop(pool, generator) for _ in range(BATCH)])
        noisy, deviation = add_noise(crops, generator)
        optimizer.zero_grad()
        functional.l1_loss(denoiser(noisy, deviation), crops).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        on_step(step)
    return denoiser.eval()


def _crop(pool: list[Tensor], generator: torch.Generator) -> Tensor:
    image = pool[int(torch.randint(len(pool), (1,), generator=generator))]
    top, left = (int(torch.randint(side - CROP + 1, (1,), generator=generator)) for side in image.shape[1:])
    return image[:, top : top + CROP, left : left + CROP]


def _measure(
    clean: Tensor, without: Denoiser, enriched: Denoiser, generator: torch.Generator
) -> tuple[float, float, float]:
    noisy, deviation = add_noise(clean[None], generator)
    with torch.inference_mode():
        images = (noisy, without(noisy, deviation), enriched(noisy, deviation))
    values = [10 * math.log10(1 / float(((image.clamp(0, 1) - clean[None]) ** 2).mean())) for image in images]
    return values[0], values[1], values[2]
