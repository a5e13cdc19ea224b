"""From the images' scores to a submission's: the values of a leaderboard's columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoring.engine import ImageScore
    from scoring.factsheet import FactSheet
    from scoring.protocol import Protocol


def aggregate(
    protocol: Protocol,
    images: Sequence[ImageScore],
    factsheet: FactSheet | None = None,
    private_info: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, float]:
    """The arithmetic mean of every metric over all images."""
    return {key: math.fsum(image.values[key] for image in images) / len(images) for key in protocol.metrics}
