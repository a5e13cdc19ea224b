"""Unprocessing as a PyTorch module, for the export formats: the formulas of `baselines.data.camera` once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from baselines.data.camera import CAMERAS, GAMMA, HIGHLIGHT, rgb_to_camera
from baselines.learning.network import Network
from baselines.upi.model import mean_exposure

if TYPE_CHECKING:
    from torch import Tensor

    from baselines.data.camera import Camera

LEVEL_SCALE = 1024


class UnprocessGraph(Network):
    """RGB N×3×H×W in 0..1 → packed RAW N×4×H/2×W/2 in 0..1, of 1024 levels."""

    matrix: Tensor
    gains: Tensor

    def __init__(self, camera: Camera) -> None:
        super().__init__()
        self.black, self.white = camera.black_level / LEVEL_SCALE, camera.white_level / LEVEL_SCALE
        self.register_buffer("matrix", torch.tensor(rgb_to_camera(camera), dtype=torch.float32)[:, :, None, None])
        self.register_buffer("gains", torch.tensor(mean_exposure(camera).gains)[None, :, None, None])

    def forward(self, rgb: Tensor, place: Tensor | None = None) -> Tensor:
        """Undo tone curve, gamma, colour matrix and gains, and mosaic."""
        linear = (0.5 - torch.sin(torch.asin(1 - 2 * rgb.clamp(0, 1)) / 3)).clamp(min=1e-8) ** GAMMA
        camera_rgb = torch.nn.functional.conv2d(linear, self.matrix)
        grey = camera_rgb.mean(dim=1, keepdim=True)
        mask = ((grey - HIGHLIGHT).clamp(min=0) / (1 - HIGHLIGHT)) ** 2
        light = (camera_rgb * torch.maximum(mask + (1 - mask) * self.gains, self.gains)).clamp(0, 1)
        red, green, blue = light[:, 0], light[:, 1], light[:, 2]
        packed = torch.stack([red[:, ::2, ::2], green[:, ::2, 1::2], green[:, 1::2, ::2], blue[:, 1::2, 1::2]], dim=1)
        return self.black + (self.white - self.black) * packed


def build(track: str) -> UnprocessGraph:
    """Make the graph of a track's camera."""
    return UnprocessGraph(CAMERAS[track])
