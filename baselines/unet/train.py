"""Training of the U-Net as the organisers' starter kit has it: Adam, weight decay, mean squared error.

Theirs were 20 epochs of whole tiles in batches of 8. On a few cores a step of that takes a minute: the defaults are
smaller batches of crops, and a learning rate that falls along a cosine, which a short training needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

from baselines.learning.training import Batch, Recipe, Settings
from baselines.unet.model import build

if TYPE_CHECKING:
    from torch import Tensor

    from baselines.learning.network import Network

LEVEL_SCALE = 1024


def loss(network: Network, batch: Batch) -> Tensor:
    """Return the mean squared error of RAW in 0..1."""
    return functional.mse_loss(network(batch.rgb, batch.place).float(), batch.raw / LEVEL_SCALE)


RECIPE = Recipe(
    method="unet",
    build=build,
    loss=loss,
    settings=Settings(steps=300, batch=4, crop=64, learning_rate=1e-3, weight_decay=1e-6, cosine=True),
)
