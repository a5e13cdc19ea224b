"""From the images' scores to a submission's: the values of a leaderboard's columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoring.formula import Formula, UndefinedValueError
from scoring.problems import Problem, ReferenceInvalid, problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoring.engine import ImageScore
    from scoring.factsheet import FactSheet
    from scoring.protocol import Column, Protocol

# What a fact sheet's field is called in a sentence about it.
_DECLARED_LABELS = {
    "runtime_s": "runtime per image",
    "runtime_ms": "runtime per image",
    "parameters": "number of parameters",
    "macs": "number of MACs",
}


@dataclass(frozen=True)
class Summary:
    """The values of a submission as a whole.

    Attributes
    ----------
    metrics
        Means of the protocol's metrics, and values of its other columns: a column that has no value is left out.
    warnings
        Why a column has none, and what the protocol's limits say.
    eligible
        Whether the fact sheet keeps within the limits; None where the protocol has none.
    """

    metrics: dict[str, float]
    warnings: tuple[Problem, ...]
    eligible: bool | None


def aggregate(
    protocol: Protocol,
    images: Sequence[ImageScore],
    factsheet: FactSheet | None = None,
    private_info: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, float]:
    """The values alone of :func:`summarise`."""
    return summarise(protocol, images, factsheet, private_info).metrics


def summarise(
    protocol: Protocol,
    images: Sequence[ImageScore],
    factsheet: FactSheet | None = None,
    private_info: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    archive: str | None = None,
) -> Summary:
    """Means over all images and over each subset, formulas, and limits.

    Parameters
    ----------
    images
        At least one; every image has a value for each of the protocol's metrics.
    factsheet
        What the submission declares; formulas and limits read it.
    private_info
        Of every image by its name what the private manifest says; ``subset`` counts. Where it says nothing, the
        protocol's pattern decides.
    archive
        What messages call the submission.

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
    operands = {**values, **_declared(factsheet)}
    warnings = []
    for column in protocol.columns:
        if column.formula is not None:
            result = _evaluate(column, column.formula, operands, archive)
            if isinstance(result, Problem):
                warnings.append(result)
            else:
                values[column.key] = result
    over = _limit_warnings(protocol, factsheet, archive)
    return Summary(values, (*warnings, *over), not over if protocol.has_limits else None)


def _mean(values: Sequence[float]) -> float:
    # Correctly rounded, so that the order of the images does not matter.
    return math.fsum(values) / len(values)


def _subset(protocol: Protocol, image: str, private_info: Mapping[str, Mapping[str, Any]] | None) -> str | None:
    told = (private_info or {}).get(image, {}).get("subset")
    return told if isinstance(told, str) else protocol.subset_of(image)


def _declared(factsheet: FactSheet | None) -> dict[str, float]:
    """What a formula can take from a fact sheet: only what it declares."""
    if factsheet is None:
        return {}
    values = {
        "runtime_s": factsheet.runtime_s,
        "runtime_ms": None if factsheet.runtime_s is None else factsheet.runtime_s * 1000,
        "parameters": factsheet.parameters,
        "macs": factsheet.macs,
    }
    return {name: value for name, value in values.items() if value is not None}


def _evaluate(column: Column, text: str, operands: Mapping[str, float], archive: str | None) -> float | Problem:
    try:
        return Formula.parse(text).evaluate(operands)
    except KeyError as error:
        reason = f"the readme does not declare the {_DECLARED_LABELS[error.args[0]]}"
    except UndefinedValueError as error:
        reason = str(error)
    return problem("column-undefined", file=archive, column=column.label, reason=reason)


def _limit_warnings(protocol: Protocol, factsheet: FactSheet | None, archive: str | None) -> list[Problem]:
    found = []
    declared = _declared(factsheet)
    for name, limit in (("parameters", protocol.max_parameters), ("macs", protocol.max_macs)):
        if limit is None:
            continue
        if name not in declared:
            found.append(problem("limit-undeclared", file=archive, what=_DECLARED_LABELS[name], limit=f"{limit:,.0f}"))
        elif declared[name] > limit:
            what = "parameters" if name == "parameters" else "MACs"
            actual = f"{declared[name]:,.0f}"
            found.append(problem("limit-exceeded", file=archive, what=what, actual=actual, limit=f"{limit:,.0f}"))
    return found
