"""From the images' scores to a submission's: the values of a leaderboard's columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoring.formula import Formula, UndefinedValueError
from scoring.operands import LABELS, declared_operands, implausible_operands
from scoring.problems import Problem, ReferenceInvalid, problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoring.factsheet import FactSheet
    from scoring.protocol import Column, Protocol
    from scoring.report import ImageScore


@dataclass(frozen=True)
class Summary:
    """The values of a submission as a whole.

    Attributes
    ----------
    metrics
        Means of the protocol's metrics, and values of its other columns: a column that has no value is left out.
    warnings
        Why a column has none, and which limits of the protocol are exceeded.
    eligible
        Whether the fact sheet keeps within the limits; None where the protocol has none.
    operands
        The declared operands that the protocol's formulas use, by name; implausible ones are left out.
    """

    metrics: dict[str, float]
    warnings: tuple[Problem, ...]
    eligible: bool | None
    operands: dict[str, float]


def aggregate(
    protocol: Protocol,
    images: Sequence[ImageScore],
    factsheet: FactSheet | None = None,
    private_info: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, float]:
    """Return the values alone of :func:`summarise`."""
    return summarise(protocol, images, factsheet, private_info).metrics


def summarise(
    protocol: Protocol,
    images: Sequence[ImageScore],
    factsheet: FactSheet | None = None,
    private_info: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    archive: str | None = None,
) -> Summary:
    """Compute the means over all images and over each subset, the formulas, and the limits.

    Parameters
    ----------
    images
        At least one; every image has a value for each of the protocol's metrics.
    factsheet
        The submission's declarations; formulas and limits read it.
    private_info
        Each image's entry in the private manifest, by the image's name; ``subset`` counts. Without one, the
        protocol's pattern decides.
    archive
        The submission's name in messages.

    Raises
    ------
    ReferenceInvalid
        A subset that has a column has no image.
    """
    values = {key: _mean([image.values[key] for image in images]) for key in protocol.metrics}
    for column in protocol.columns:
        if column.subset is not None and column.metric is not None:
            chosen = [image for image in images if _subset(protocol, image.name, private_info) == column.subset]
            if not chosen:
                raise ReferenceInvalid(f"no image is of the subset {column.subset}")
            values[column.key] = _mean([image.values[column.metric] for image in chosen])
    declared = declared_operands(factsheet, protocol.plausible_ranges)
    operands = {**values, **declared}
    warnings = implausible_operands(factsheet, archive, protocol.plausible_ranges) if protocol.has_formula else []
    for column in protocol.columns:
        if column.formula is not None:
            result = _evaluate(column, column.formula, operands, archive)
            if isinstance(result, Problem):
                warnings.append(result)
            else:
                values[column.key] = result
    over = _limit_warnings(protocol, factsheet, archive)
    used = {name: declared[name] for name in protocol.formula_names if name in declared}
    return Summary(values, (*warnings, *over), not over if protocol.has_limits else None, used)


def _mean(values: Sequence[float]) -> float:
    # Correctly rounded, so that the order of the images does not matter.
    return math.fsum(values) / len(values)


def _subset(protocol: Protocol, image: str, private_info: Mapping[str, Mapping[str, Any]] | None) -> str | None:
    told = (private_info or {}).get(image, {}).get("subset")
    return told if isinstance(told, str) else protocol.subset_of(image)


def _evaluate(column: Column, text: str, operands: Mapping[str, float], archive: str | None) -> float | Problem:
    formula = Formula.parse(text)
    # Before anything is computed: whether this warning appears must not depend on a score.
    undeclared = [name for name in LABELS if name in formula.names and name not in operands]
    if undeclared:
        return problem("operand-undeclared", file=archive, column=column.label, what=LABELS[undeclared[0]])
    try:
        return formula.evaluate(operands)
    except UndefinedValueError as error:
        return problem("column-undefined", file=archive, column=column.label, reason=str(error))


def _limit_warnings(protocol: Protocol, factsheet: FactSheet | None, archive: str | None) -> list[Problem]:
    found = []
    declared = {name: getattr(factsheet, name, None) for name in ("parameters", "macs")}
    for name, limit in (("parameters", protocol.max_parameters), ("macs", protocol.max_macs)):
        if limit is None:
            continue
        value = declared[name]
        if value is None:
            found.append(problem("limit-undeclared", file=archive, what=LABELS[name], limit=f"{limit:,.0f}"))
        elif value > limit:
            what = "parameters" if name == "parameters" else "MACs"
            actual = f"{value:,.0f}"
            found.append(problem("limit-exceeded", file=archive, what=what, actual=actual, limit=f"{limit:,.0f}"))
    return found
