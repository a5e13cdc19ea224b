"""The organisers' U-Net baseline: RGB → packed RAW by a plain encoder and decoder.

Source: the starter kit of the AIM 2022 Reversed ISP challenge (mv-lab/AISP), rewritten from its structure:
1,861,764 parameters, no bias in the 3×3 convolutions, the full-resolution result sampled at its even pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from baselines.learning.network import Network

if TYPE_CHECKING:
    from torch import Tensor

DESCRIPTION = "unet: the organisers' U-Net baseline (1.86 M parameters), trained on synthetic pairs"
CHANNELS = (3, 64, 128, 256)
RAW_CHANNELS = 4
STRIDE = 4  # sides of the RGB are multiples of it
# A saturated clamp has no gradient: training starts in the middle of the dark half, where RAW is.
FIRST_LEVEL = 0.2


class Block(nn.Sequential):
    """Two 3×3 convolutions, each with a ReLU; N×C×H×W in, the same size out."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.ReLU(),
        )


class UNet(Network):
    """RGB N×3×H×W in 0..1 → packed RAW N×4×H/2×W/2 in 0..1, of 1024 levels; H and W are multiples of 4."""

    truncates = True

    def __init__(self) -> None:
        super().__init__()
        _, small, middle, large = CHANNELS
        self.down1 = Block(CHANNELS[0], small)
        self.down2 = Block(small, middle)
        self.down3 = Block(middle, large)
        self.pool = nn.MaxPool2d(2)
        self.raise2 = nn.ConvTranspose2d(large, middle, 2, stride=2)
        self.up2 = Block(large, middle)
        self.raise1 = nn.ConvTranspose2d(middle, small, 2, stride=2)
        self.up1 = Block(middle, small)
        self.head = nn.Conv2d(small, RAW_CHANNELS, 1)
        nn.init.constant_(cast("Tensor", self.head.bias), FIRST_LEVEL)

    def forward(self, rgb: Tensor, place: Tensor | None = None) -> Tensor:
        """Predict; the place in the photo is not used."""
        fine = self.down1(rgb)  # N×64×H×W
        middle = self.down2(self.pool(fine))  # N×128×H/2×W/2
        coarse = self.down3(self.pool(middle))  # N×256×H/4×W/4
        middle = self.up2(torch.cat([self.raise2(coarse), middle], dim=1))
        fine = self.up1(torch.cat([self.raise1(middle), fine], dim=1))
        raw: Tensor = self.head(fine)  # N×4×H×W
        # F.interpolate(mode="nearest") to half the size takes the even pixels
        return raw[:, :, ::2, ::2].clamp(0, 1)


def build(track: str) -> UNet:
    """Make the network of a track: the same for both phones."""
    return UNet()
