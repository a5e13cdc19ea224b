"""Training of the learned ISP: Adam on the mean squared error, as the delivered model's file says it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

from baselines.learned_isp.model import build
from baselines.learning.training import Batch, Recipe, Settings

if TYPE_CHECKING:
    from torch import Tensor

    from baselines.learning.network import Network


def loss(network: Network, batch: Batch) -> Tensor:
    """Return the mean squared error of RGB in 0..1."""
    return functional.mse_loss(network(batch.raw, batch.place).float(), batch.rgb)


RECIPE = Recipe(
    method="learned_isp",
    build=build,
    loss=loss,
    settings=Settings(steps=600, batch=8, crop=64, learning_rate=2e-3, cosine=True),
)
