"""The Learned ISP network of the Mobile AI 2022 challenge: RAW → RGB with 6,805 parameters.

Source: the graph of the model that the AISP page's team delivered to the challenge, rewritten from its structure: three
convolutions and a depth-to-space, a fixed gamma and tone curve, and a residual block with channel and spatial
attention (CBAM). Its weights are not used here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from baselines.learning.network import Network

if TYPE_CHECKING:
    from torch import Tensor

DESCRIPTION = "learned_isp: the MAI 2022 learned ISP network (6,805 parameters), trained on synthetic pairs"
LEVEL_SCALE = 4096
# The file order B, Gb, R, Gr becomes R, Gr, Gb, B.
CHANNEL_ORDER = [2, 3, 1, 0]
GAMMA = 2.2
DARKEST = 1e-8
FIRST_LEVEL = 0.2  # a ReLU at zero has no gradient


def depth_to_space(image: Tensor) -> Tensor:
    """Spread N×12×H×W out to N×3×2H×2W in TensorFlow's order: channel (dy·2 + dx)·3 + c.

    PyTorch's own pixel_shuffle takes them in the order c·4 + dy·2 + dx.
    """
    count, channels, height, width = image.shape
    cells = image.reshape(count, 2, 2, channels // 4, height, width)
    return cells.permute(0, 3, 4, 1, 5, 2).reshape(count, channels // 4, 2 * height, 2 * width)


class ChannelAttention(nn.Module):
    """Weighs the channels of N×32×H×W by their means and maxima."""

    def __init__(self, channels: int = 32, hidden: int = 4) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, image: Tensor) -> Tensor:
        """Return the weighed image."""
        weights = self.shared(image.mean(dim=(2, 3))) + self.shared(image.amax(dim=(2, 3)))
        return image * torch.sigmoid(weights)[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weighs the pixels of N×C×H×W by the mean and the maximum of their channels about them."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return the weighed image."""
        seen = torch.cat([image.mean(dim=1, keepdim=True), image.amax(dim=1, keepdim=True)], dim=1)
        return image * torch.sigmoid(self.look(seen))


class LearnedIsp(Network):
    """Packed levels N×4×H×W in B, Gb, R, Gr order, of 4096 → RGB N×3×2H×2W in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
        self.conv3 = nn.Conv2d(16, 12, 3, padding=1)
        nn.init.constant_(cast("Tensor", self.conv3.bias), FIRST_LEVEL)
        self.widen = nn.Conv2d(3, 32, 3, padding=1)
        self.channels, self.pixels = ChannelAttention(), SpatialAttention()
        self.narrow = nn.Conv2d(32, 3, 3, padding=1)

    def forward(self, packed: Tensor, place: Tensor | None = None) -> Tensor:
        """Develop; the place in the photo is not used."""
        x = packed[:, CHANNEL_ORDER] / LEVEL_SCALE
        x = torch.relu(self.conv2(torch.tanh(self.conv1(x))))
        linear = depth_to_space(torch.relu(self.conv3(x)))  # N×3×2H×2W
        t = (linear + DARKEST) ** (1 / GAMMA)
        toned = 3 * t**2 - 2 * t**3
        detail = self.pixels(self.channels(torch.relu(self.widen(toned))))
        return (toned + torch.tanh(self.narrow(detail))).clamp(0, 1)


def build(track: str) -> LearnedIsp:
    """Make the network."""
    return LearnedIsp()
