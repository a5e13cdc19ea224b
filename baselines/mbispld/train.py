"""Training of MBISPLD: both passes at once, and their intermediate results are held together.

The paper's weights of the losses and its schedule were not found: those here are our choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch.nn import functional

from baselines.learning.training import Batch, Recipe, Settings
from baselines.mbispld.model import Mbispld, build

if TYPE_CHECKING:
    from torch import Tensor

    from baselines.learning.network import Network

WEIGHTS_AGREE = 0.1


def loss(network: Network, batch: Batch) -> Tensor:
    """Return the error of RAW and of RGB, of all stages between the two passes, and of their weights."""
    model = cast("Mbispld", network)
    light = model.light_of(batch.raw)
    reverse, forward = model.reverse(batch.rgb, batch.place), model.develop(light, batch.place)
    total = functional.l1_loss(reverse.result, light) + functional.l1_loss(forward.result, batch.rgb)
    for back, onward in zip(reverse.stages, forward.stages, strict=True):
        total = total + functional.mse_loss(back, onward)
    agree = functional.mse_loss(reverse.ccm_weights, forward.ccm_weights)
    agree = agree + functional.mse_loss(reverse.wb_weights, forward.wb_weights)
    return total + WEIGHTS_AGREE * agree


RECIPE = Recipe(
    method="mbispld",
    build=build,
    loss=loss,
    settings=Settings(steps=300, batch=2, crop=128, learning_rate=3e-3, cosine=True, flips=True),
)
