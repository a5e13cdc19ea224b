"""MBISPLD: the steps of a camera's ISP, each with few learnable numbers, from RGB to RAW and back.

Source: Conde et al., "Model-Based Image Signal Processors via Learnable Dictionaries" (AAAI 2022). No code was
published: the structure is the paper's figure's, and choices that it leaves open (widths of the encoders, first values,
weights of the losses) is our choice. Reverse: RGB x → tone x1 → gamma x2 → colour matrix x3 → white balance x4 →
lens shading x5 → mosaic. The forward pass mirrors it. Both have networks of their own and share the dictionaries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from baselines.data.camera import CAMERAS
from baselines.learning.network import Network
from baselines.mbispld.layers import (
    ColourDictionary,
    Encoder,
    GainDictionary,
    Shading,
    ToneNet,
    apply_matrices,
    demosaic,
    inverse_of,
    mosaic,
)

if TYPE_CHECKING:
    from torch import Tensor

DESCRIPTION = "mbispld: a model-based ISP with learnable dictionaries, trained on synthetic pairs"
ATOMS = 8
LEVEL_SCALE = 1024
DARKEST = 1e-8
FIRST_GAMMA = 2.2
GAMMAS = (1.8, 2.6)


@dataclass(frozen=True)
class Pass:
    """The outputs of one direction.

    Attributes
    ----------
    result
        Of the reverse pass: linear packed RAW N×4×H/2×W/2, 0 at black and 1 at white. Of the forward pass: RGB.
    stages
        x1..x5, N×3×H×W each.
    ccm_weights, wb_weights
        Of the atoms, N×atoms: not negative, and they sum to 1.
    """

    result: Tensor
    stages: tuple[Tensor, ...]
    ccm_weights: Tensor
    wb_weights: Tensor


class Mbispld(Network):
    """RGB N×3×H×W in 0..1 → packed RAW N×4×H/2×W/2 in 0..1, of 1024 levels; H and W are even."""

    def __init__(self, black_level: int, white_level: int) -> None:
        super().__init__()
        self.black, self.white = black_level / LEVEL_SCALE, white_level / LEVEL_SCALE
        self.colours, self.gains = ColourDictionary(ATOMS), GainDictionary(ATOMS)
        self.exponent = nn.Parameter(torch.tensor(FIRST_GAMMA))
        self.reverse_tone, self.forward_tone = ToneNet(), ToneNet()
        self.reverse_colour, self.forward_colour = Encoder(ATOMS), Encoder(ATOMS)
        self.reverse_gain, self.forward_gain = Encoder(ATOMS), Encoder(ATOMS)
        self.shading = Shading()

    @property
    def gamma(self) -> Tensor:
        """The display's exponent, kept within the range of displays."""
        return self.exponent.clamp(*GAMMAS)

    def reverse(
        self, rgb: Tensor, place: Tensor, ccm_weights: Tensor | None = None, wb_weights: Tensor | None = None
    ) -> Pass:
        """Undo the ISP; weights of the atoms may be given in the place of the encoders'."""
        x1 = self.reverse_tone(rgb)
        x2 = x1.clamp(min=DARKEST) ** self.gamma
        ccm = self.reverse_colour(x2) if ccm_weights is None else ccm_weights
        x3 = apply_matrices(self.colours(ccm), x2).clamp(0, 1)
        wb = self.reverse_gain(x3) if wb_weights is None else wb_weights
        x4 = self.gains.undo(x3, wb).clamp(0, 1)
        x5 = self.shading.darken(x4, place)
        return Pass(mosaic(x5), (x1, x2, x3, x4, x5), ccm, wb)

    def develop(
        self, light: Tensor, place: Tensor, ccm_weights: Tensor | None = None, wb_weights: Tensor | None = None
    ) -> Pass:
        """Run the ISP forward, on linear packed RAW N×4×H/2×W/2, 0 at black and 1 at white."""
        x5 = demosaic(light).clamp(0, 1)
        x4 = self.shading.brighten(x5, place).clamp(0, 1)
        wb = self.forward_gain(x4) if wb_weights is None else wb_weights
        x3 = self.gains.multiply(x4, wb).clamp(0, 1)
        ccm = self.forward_colour(x3) if ccm_weights is None else ccm_weights
        x2 = apply_matrices(inverse_of(self.colours(ccm)), x3).clamp(0, 1)
        x1 = x2.clamp(min=DARKEST) ** (1 / self.gamma)
        return Pass(self.forward_tone(x1), (x1, x2, x3, x4, x5), ccm, wb)

    def light_of(self, levels: Tensor) -> Tensor:
        """Return stored levels as linear light, 0 at black and 1 at white."""
        return (levels / LEVEL_SCALE - self.black) / (self.white - self.black)

    def forward(self, rgb: Tensor, place: Tensor) -> Tensor:
        """Predict RAW in 0..1, of 1024 levels."""
        return self.black + (self.white - self.black) * self.reverse(rgb, place).result


def build(track: str) -> Mbispld:
    """Make the network of a track, which knows its camera's black and white level."""
    camera = CAMERAS[track]
    return Mbispld(camera.black_level, camera.white_level)
