"""Scores as pages show them: bounded digits, and formulas of the shown operands alone.

All that a reader sees of a hidden score is a function of these texts, so that nothing derived from a score, neither
a rank nor a formula's value, tells digits that no page shows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scoring.formula import Formula, UndefinedValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoring.protocol import Column, Protocol

NOTHING = "–"
SIGNIFICANT_DIGITS = 6
# From here on a number is written with an exponent.
EXPONENT_FROM = 1e15


def shown_text(value: float | None, precision: int) -> str:
    """Return the text of a score: a number of decimals, and at most six significant digits.

    Parameters
    ----------
    value
        The score; None, infinities and NaN give a dash.
    precision
        The decimals, at least 0. Fewer are shown where six significant digits end before them.

    Returns
    -------
    str
        ``30.12``, ``0.9123``, ``1234570``, ``1.23457e+200`` or ``–``. The text of the text's value is the same text.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    # Rounded once: the number of decimals that both bounds leave.
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    decimals = min(precision, SIGNIFICANT_DIGITS - 1 - magnitude)
    rounded = float(f"{value:.{decimals}f}") if decimals >= 0 else float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}")
    # Plus zero: no score is -0.00.
    rounded += 0.0
    if abs(rounded) >= EXPONENT_FROM:
        return f"{rounded:.{SIGNIFICANT_DIGITS - 1}e}"
    # 99999.96 has become 100000.0, whose seventh digit is one too many.
    magnitude = math.floor(math.log10(abs(rounded))) if rounded else 0
    return f"{rounded:.{max(0, min(precision, SIGNIFICANT_DIGITS - 1 - magnitude))}f}"


def shown_values(
    protocol: Protocol, metrics: Mapping[str, float], operands: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the values of the protocol's columns as a reader knows them.

    Parameters
    ----------
    metrics
        The unrounded values of metrics and columns, by key.
    operands
        The declared or measured operands of formulas, by name.

    Returns
    -------
    dict
        By the column's key; of a formula, the value that it has for the shown values of its operands. A column
        without a finite value is left out, as are metrics that no column shows.
    """
    plain = [column for column in protocol.columns if column.formula is None]
    found = {column.key: _shown(metrics.get(column.key), column.precision) for column in plain}
    values = {key: value for key, value in found.items() if value is not None}
    known = {**_operands(protocol, metrics, operands or {}), **values}
    for column in protocol.columns:
        result = _by_formula(column, known)
        if result is not None:
            values[column.key] = result
    return values


def _shown(value: float | None, precision: int) -> float | None:
    text = shown_text(value, precision)
    return None if text == NOTHING else float(text)


def _operands(protocol: Protocol, metrics: Mapping[str, float], operands: Mapping[str, float]) -> dict[str, float]:
    """Return the values that a formula may use beside shown columns: metrics that no column shows, and operands."""
    precisions = {column.metric or column.key: column.precision for column in protocol.columns}
    hidden = {key: _shown(metrics.get(key), precisions.get(key, SIGNIFICANT_DIGITS)) for key in protocol.metrics}
    declared = {name: float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}") for name, value in operands.items()}
    return {**{key: value for key, value in hidden.items() if value is not None}, **declared}


def _by_formula(column: Column, known: Mapping[str, float]) -> float | None:
    if column.formula is None:
        return None
    try:
        return _shown(Formula.parse(column.formula).evaluate(known), column.precision)
    except (KeyError, UndefinedValueError):
        return None
