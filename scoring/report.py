"""The result of a scoring: the scores of a submission and of its images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.factsheet import FactSheet
    from scoring.problems import Problem


@dataclass(frozen=True)
class ImageScore:
    """The metrics of one image, by their keys."""

    name: str
    values: dict[str, float]


class Arithmetic(NamedTuple):
    """In how many tiles SSIM was worked out, and how many of them in float32 (:mod:`scoring.metrics.fast`)."""

    tiles: int = 0
    float32_tiles: int = 0

    def to_json(self) -> dict[str, int]:
        return self._asdict()


NO_TILES = Arithmetic()


@dataclass(frozen=True)
class ScoreReport:
    """The metrics of a submission (arithmetic means over its images) and of every image, unrounded."""

    protocol: str
    metrics: dict[str, float]
    images: tuple[ImageScore, ...]
    factsheet: FactSheet | None
    warnings: tuple[Problem, ...]
    # Whether the fact sheet keeps within the protocol's limits; None where there are none.
    eligible: bool | None = None
    # The declared operands that the protocol's formulas used, by name.
    operands: dict[str, float] = field(default_factory=dict)
    arithmetic: Arithmetic = NO_TILES

    def to_json(self) -> dict[str, Any]:
        data = report_json(
            self.protocol,
            metrics=self.metrics,
            images=self.images,
            factsheet=self.factsheet,
            warnings=self.warnings,
        )
        if self.eligible is not None:
            data["eligible"] = self.eligible
        if self.arithmetic.tiles:
            data["arithmetic"] = self.arithmetic.to_json()
        return data


def report_json(
    protocol: str,
    *,
    metrics: dict[str, float] | None = None,
    images: Sequence[ImageScore] = (),
    factsheet: FactSheet | None = None,
    warnings: Sequence[Problem] = (),
    errors: Sequence[Problem] = (),
) -> dict[str, Any]:
    """Return the JSON of a scoring or a check, whether the submission was accepted or not."""
    return {
        "protocol": protocol,
        "metrics": dict(metrics or {}),
        "images": [{"name": image.name, **image.values} for image in images],
        "factsheet": factsheet.to_json() if factsheet is not None else None,
        "warnings": [warning.to_json() for warning in warnings],
        "errors": [error.to_json() for error in errors],
    }
