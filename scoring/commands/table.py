"""Tables for people: names to the left, figures to the right, a rule under the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.protocol import Column


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, rule_before: Sequence[int] = ()) -> str:
    """Return lines of equal columns.

    Parameters
    ----------
    rule_before
        Rows that a rule is drawn above.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = "  ".join("─" * width for width in widths)
    lines = [_line(head, widths), rule]
    for number, row in enumerate(rows):
        if number in rule_before:
            lines.append(rule)
        lines.append(_line(row, widths))
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)]
    return "  ".join(padded).rstrip()


def heading(column: Column) -> str:
    return f"{column.label} [{column.unit}]" if column.unit else column.label


def figure(value: float, column: Column, *, sign: bool = False) -> str:
    """Return a value at the column's precision."""
    return f"{value:{'+' if sign else ''}.{column.precision}f}"
