"""Operands of formulas that a fact sheet declares: their names, and the ranges in which they are plausible."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from scoring.problems import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoring.factsheet import FactSheet

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "runtime_s": "runtime per image",
        "runtime_ms": "runtime per image",
        "parameters": "number of parameters",
        "macs": "number of MACs",
    }
)
DECLARED_NAMES = tuple(LABELS)
# Least and largest plausible value of a fact sheet's field. A value far outside would turn the few shown digits of a
# score into many: 1e-200 s as a divisor prints every digit of the numerator.
PLAUSIBLE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"runtime_s": (1e-6, 1e5), "parameters": (1.0, 1e13), "macs": (1.0, 1e18)}
)


def declared_operands(factsheet: FactSheet | None) -> dict[str, float]:
    """Return the operands that a fact sheet declares, by their names; implausible values count as undeclared."""
    values = {name: value for name, value in _fields(factsheet).items() if _is_plausible(name, value)}
    if "runtime_s" in values:
        values["runtime_ms"] = values["runtime_s"] * 1000
    return values


def implausible_operands(factsheet: FactSheet | None, archive: str | None) -> list[Problem]:
    """Return a warning for each declared value that lies outside its plausible range."""
    return [
        problem(
            "operand-implausible",
            file=archive,
            what=LABELS[name],
            actual=f"{value:g}",
            least=f"{PLAUSIBLE[name][0]:g}",
            most=f"{PLAUSIBLE[name][1]:g}",
        )
        for name, value in _fields(factsheet).items()
        if not _is_plausible(name, value)
    ]


def _fields(factsheet: FactSheet | None) -> dict[str, float]:
    values = {name: getattr(factsheet, name, None) for name in PLAUSIBLE}
    return {name: value for name, value in values.items() if value is not None}


def _is_plausible(name: str, value: float) -> bool:
    least, most = PLAUSIBLE[name]
    return least <= value <= most
