"""Two submissions side by side: which is better, by how much, and whether the difference is real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scoring.statistics import PairedDifference, TooFewUnits, holm, paired_difference, unit_scores
from scoring.statistics.signflip import ALPHA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scoring.protocol import Column, Protocol
    from scoring.report import ScoreReport
    from scoring.statistics.units import UnitKind

# first, second: better for certain; undecided: the data allow either; equal: the same score; too-few: no statement.
Verdict = Literal["first", "second", "undecided", "equal", "too-few"]


@dataclass(frozen=True)
class ColumnComparison:
    """One of the protocol's columns.

    Attributes
    ----------
    first, second
        The two submissions' scores.
    result
        The paired test of the difference (first less second), or why there is none.
    p_adjusted
        Its p-value, corrected for the number of columns compared (Holm); None where there is none.
    """

    column: Column
    first: float
    second: float
    result: PairedDifference | TooFewUnits
    p_adjusted: float | None
    verdict: Verdict

    @property
    def difference(self) -> float:
        return self.first - self.second

    def to_json(self) -> dict[str, Any]:
        test = self.result.to_json() if isinstance(self.result, PairedDifference) else None
        return {
            "key": self.column.key,
            "first": self.first,
            "second": self.second,
            "difference": self.difference,
            "interval": [test["low"], test["high"]] if test else None,
            "p": test["p"] if test else None,
            "p_adjusted": self.p_adjusted,
            "verdict": self.verdict,
            "reason": self.result.sentence if isinstance(self.result, TooFewUnits) else None,
        }


@dataclass(frozen=True)
class ImageDifference:
    """One image's scores under both submissions, by column."""

    name: str
    first: dict[str, float]
    second: dict[str, float]

    def of(self, key: str) -> float:
        return self.first[key] - self.second[key]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "first": self.first,
            "second": self.second,
            "difference": {key: self.of(key) for key in self.first},
        }


@dataclass(frozen=True)
class Comparison:
    """The result of :func:`compare_reports`.

    Attributes
    ----------
    columns
        The protocol's columns that have a value for each image, in their order.
    left_out
        Labels of the columns that have none and so cannot be compared.
    units, unit_kind
        The number of independent units, and their kind: photos, or images.
    images
        All images, those that differ most in the first column first.
    """

    columns: tuple[ColumnComparison, ...]
    left_out: tuple[str, ...]
    units: int
    unit_kind: UnitKind
    images: tuple[ImageDifference, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "units": self.units,
            "unit": self.unit_kind,
            "columns": [column.to_json() for column in self.columns],
            "images": [image.to_json() for image in self.images],
        }


def compare_reports(first: ScoreReport, second: ScoreReport, protocol: Protocol, *, alpha: float = ALPHA) -> Comparison:
    """Compare two submissions that were scored against the same reference set.

    Raises
    ------
    ValueError
        They were not scored on the same images, or no column of the protocol has a value for each image.
    """
    names = [image.name for image in first.images]
    if not names or names != [image.name for image in second.images]:
        raise ValueError("the two were not scored on the same images")
    columns = [column for column in protocol.columns if column.key in first.images[0].values]
    if not columns:
        raise ValueError(f"no column of {protocol.name} has a value for each image, so there is nothing to compare")
    groups = [protocol.group_of(name) for name in names]
    units = [unit_scores([_values(first, column.key), _values(second, column.key)], groups) for column in columns]
    results = [paired_difference(unit.scores[0], unit.scores[1], unit.sizes, alpha=alpha) for unit in units]
    adjusted = holm([1.0 if isinstance(result, TooFewUnits) else result.p for result in results])
    tolerances = dict(zip(protocol.columns, protocol.tolerances, strict=True))
    compared = [
        _judge(column, first, second, result, float(p), tolerances[column], alpha)
        for column, result, p in zip(columns, results, adjusted, strict=True)
    ]
    keys = [column.key for column in columns]
    images = [
        ImageDifference(a.name, {key: a.values[key] for key in keys}, {key: b.values[key] for key in keys})
        for a, b in zip(first.images, second.images, strict=True)
    ]
    return Comparison(
        columns=tuple(compared),
        left_out=tuple(column.label for column in protocol.columns if column not in columns),
        units=units[0].count,
        unit_kind=units[0].kind,
        images=tuple(sorted(images, key=lambda image: -abs(image.of(keys[0])))),
    )


def _values(report: ScoreReport, key: str) -> NDArray[np.float64]:
    return np.array([image.values[key] for image in report.images])


def _judge(
    column: Column,
    first: ScoreReport,
    second: ScoreReport,
    result: PairedDifference | TooFewUnits,
    p_adjusted: float,
    tolerance: float,
    alpha: float,
) -> ColumnComparison:
    a, b = first.metrics[column.key], second.metrics[column.key]
    has_test = isinstance(result, PairedDifference)
    verdict: Verdict
    if abs(a - b) <= tolerance:
        verdict = "equal"
    elif not has_test:
        verdict = "too-few"
    elif p_adjusted > alpha:
        verdict = "undecided"
    else:
        verdict = "first" if (a > b) == (column.direction == "desc") else "second"
    return ColumnComparison(column, a, b, result, p_adjusted if has_test else None, verdict)
