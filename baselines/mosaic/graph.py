"""The mosaic as a PyTorch module, for the export formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from baselines.learning.network import Network

if TYPE_CHECKING:
    from torch import Tensor


class MosaicGraph(Network):
    """RGB N×3×H×W in 0..1 → packed RAW N×4×H/2×W/2 in 0..1."""

    truncates = True

    def forward(self, rgb: Tensor, place: Tensor | None = None) -> Tensor:
        """Sample the display RGB behind an RGGB filter."""
        red, green, blue = rgb[:, 0], rgb[:, 1], rgb[:, 2]
        return torch.stack([red[:, ::2, ::2], green[:, ::2, 1::2], green[:, 1::2, ::2], blue[:, 1::2, 1::2]], dim=1)


def build(track: str) -> MosaicGraph:
    """Make the graph: the same for both phones."""
    return MosaicGraph()
