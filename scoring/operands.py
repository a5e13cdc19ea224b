"""Operands of formulas that a fact sheet declares: their names, and the ranges in which they are plausible."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from scoring.problems import Problem, problem
from scoring.table import shown

if TYPE_CHECKING:
    from scoring.factsheet import FactSheet
    from scoring.table import Table

# Field of a fact sheet → its least and largest plausible value.
Ranges = Mapping[str, tuple[float, float]]

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "runtime_s": "runtime per image",
        "runtime_ms": "runtime per image",
        "parameters": "number of parameters",
        "macs": "number of MACs",
    }
)
DECLARED_NAMES = tuple(LABELS)
# A value far outside would turn the few shown digits of a score into many: 1e-200 s as a divisor prints every digit of
# the numerator. A protocol may narrow these ranges.
PLAUSIBLE: Ranges = MappingProxyType({"runtime_s": (1e-6, 1e5), "parameters": (1.0, 1e13), "macs": (1.0, 1e18)})


def declared_operands(factsheet: FactSheet | None, ranges: Ranges = PLAUSIBLE) -> dict[str, float]:
    """Return the operands that a fact sheet declares, by their names; implausible values count as undeclared.

    ``runtime_s`` is in seconds and ``runtime_ms`` in milliseconds, both of one image; the others are counts.
    """
    values = {name: value for name, value in _fields(factsheet).items() if _is_within(value, ranges[name])}
    if "runtime_s" in values:
        values["runtime_ms"] = values["runtime_s"] * 1000
    return values


def implausible_operands(factsheet: FactSheet | None, archive: str | None, ranges: Ranges = PLAUSIBLE) -> list[Problem]:
    """Return a warning for each declared value that lies outside its plausible range."""
    return [
        problem(
            "operand-implausible",
            file=archive,
            what=LABELS[name],
            actual=f"{value:g}",
            least=f"{ranges[name][0]:g}",
            most=f"{ranges[name][1]:g}",
        )
        for name, value in _fields(factsheet).items()
        if not _is_within(value, ranges[name])
    ]


def read_plausible(table: Table) -> tuple[tuple[str, float, float], ...]:
    """Return the ranges that ``[plausible]`` of a protocol narrows: field, least and largest value, by the field."""
    rows = table.table("plausible")
    rows.refuse_unknown(PLAUSIBLE)
    return tuple((name, *_read_range(rows, name)) for name in sorted(rows.data))


def _read_range(rows: Table, name: str) -> tuple[float, float]:
    bounds = rows.items(name)
    least, most = PLAUSIBLE[name]
    # By type, as True and False are numbers to Python; the comparisons refuse NaN and infinities.
    if len(bounds) != 2 or not all(type(bound) in (int, float) for bound in bounds):
        raise rows.fault(name, f"must be the least and the largest value, not {shown(bounds)}")
    if not least <= bounds[0] < bounds[1] <= most:
        raise rows.fault(name, f"must be two rising values between {least:g} and {most:g}, not {shown(bounds)}")
    return float(bounds[0]), float(bounds[1])


def _fields(factsheet: FactSheet | None) -> dict[str, float]:
    values = {name: getattr(factsheet, name, None) for name in PLAUSIBLE}
    return {name: value for name, value in values.items() if value is not None}


def _is_within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
