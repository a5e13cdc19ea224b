"""RAW for other tasks, made of RGB by a trained MBISPLD whose weights of the atoms are perturbed.

Each photo is taken anew by a camera near the one that was learned: other gains, another matrix. Source: the paper's
section on data augmentation; how much the weights are perturbed is our choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from baselines.mbispld.model import Mbispld

SPREAD = 0.5  # of the logarithm of a weight


def perturb(weights: Tensor, generator: torch.Generator, spread: float = SPREAD) -> Tensor:
    """Multiply weights N×atoms with log-normal noise, and let them sum to 1 again."""
    noise = torch.randn(weights.shape, generator=generator) * spread
    changed = weights * torch.exp(noise)
    return changed / changed.sum(dim=1, keepdim=True)


def generate_raw(
    network: Mbispld, rgb: Tensor, place: Tensor, generator: torch.Generator, spread: float = SPREAD
) -> Tensor:
    """Make RAW without noise.

    Parameters
    ----------
    network
        A trained network.
    rgb, place
        N×3×H×W in 0..1, and N×4.
    generator, spread
        Source of the perturbation, and its size; 0 leaves the network's own prediction.

    Returns
    -------
    Linear packed RAW N×4×H/2×W/2, 0 at black and 1 at white.
    """
    with torch.inference_mode():
        own = network.reverse(rgb, place)
        ccm, wb = (perturb(weights, generator, spread) for weights in (own.ccm_weights, own.wb_weights))
        return network.reverse(rgb, place, ccm, wb).result
