"""The interface of every method's network, and counts on one: parameters, MACs, receptive field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

WHOLE_TILE = -1
PROBE_SIZE = 192


class Network(nn.Module):
    """A method's network.

    Its ``forward(tiles, place)`` takes RGB N×3×H×W in 0..1 and returns packed RAW N×4×H/2×W/2 in 0..1 of 1024 levels;
    or, on a track that reads RAW, packed levels N×4×H/2×W/2 to RGB N×3×H×W in 0..1. `place` is N×4: top, bottom, left
    and right of the tile in its photo, whose sides lie at −1 and 1; most networks ignore it.

    Attributes
    ----------
    truncates
        Whether levels are cut off rather than rounded to whole numbers.
    """

    truncates = False

    def forward(self, tiles: Tensor, place: Tensor) -> Tensor:
        """Predict."""
        raise NotImplementedError


def example_inputs(track: str, count: int = 1, device: str = "cpu", size: int | None = None) -> tuple[Tensor, Tensor]:
    """Return tiles and places of the shapes that a track's networks take, filled with a middle grey."""
    chosen = TRACKS[track]
    side = size or chosen.tile_size
    if chosen.reads_raw:
        tiles = torch.full((count, 4, side // 2, side // 2), 1000.0, device=device)
    else:
        tiles = torch.full((count, 3, side, side), 0.5, device=device)
    place = torch.tensor([[-0.25, 0.25, -0.25, 0.25]], device=device).repeat(count, 1)
    return tiles, place


def count_parameters(model: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_macs(build: Callable[[str], Network], track: str) -> int:
    """Count the multiply-accumulates of the convolutions and dense layers for one tile; nothing is computed."""
    total = 0

    def add(layer: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.ConvTranspose2d):
            # with the stride as large as the kernel each output pixel has one tap
            taps = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
            total += output.numel() * taps // (layer.stride[0] * layer.stride[1])
        elif isinstance(layer, nn.Conv2d):
            total += output.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.Linear):
            total += output.numel() * layer.in_features

    with torch.device("meta"):
        model = build(track)
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                layer.register_forward_hook(add)
        with torch.no_grad():
            model(*example_inputs(track, device="meta"))
    return total


def receptive_field(model: Network, track: str) -> int:
    """Return how many full-resolution pixels across one input pixel reaches: measured, not computed.

    A pixel that is not a number makes every output that depends on it not a number. Returns `WHOLE_TILE` where it
    reaches everything.
    """
    reach = 0
    reads_raw = TRACKS[track].reads_raw
    step = 2 if reads_raw else 1
    for shift in range(0, 4, step):  # the grids of pooling and packing are not the same everywhere
        tiles, place = example_inputs(track, size=PROBE_SIZE)
        at = (PROBE_SIZE // 2 + shift) // step
        tiles[..., at, at] = torch.nan
        with torch.no_grad():
            touched = torch.isnan(model(tiles, place)).any(dim=1)[0].any(dim=0)
        if bool(touched.all()):
            return WHOLE_TILE
        places = touched.nonzero()
        if len(places):
            reach = max(reach, int(places.max() - places.min() + 1) * (1 if reads_raw else 2))
    return reach
