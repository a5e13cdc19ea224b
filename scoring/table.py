"""Reading unchecked mappings (TOML, JSON) with messages that name the source and the key."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
MAX_SHOWN_CHARACTERS = 100


@dataclass(frozen=True)
class Fault:
    """One mistake: where (``columns[1].direction``), and the rest of the sentence."""

    path: str
    reason: str


def join_faults(source: str, faults: Iterable[Fault], line_of: Callable[[str], int | None] = lambda _: None) -> str:
    """Return one line of text for each mistake, with the line of the file where ``line_of`` finds its path."""
    lines = ((fault, line_of(fault.path)) for fault in faults)
    return "\n".join(
        f"{source}{f', line {line}' if line else ''}: {fault.path}: {fault.reason}" for fault, line in lines
    )


def shown(value: object) -> str:
    """Return a value as it may stand in a message, however large it is."""
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"


class TableError(ValueError):
    """Data is wrong; ``faults`` says where, as far as that is known."""

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__(message)


@dataclass(frozen=True)
class Table:
    """A mapping whose keys are checked one by one; every fault is an ``error`` that names where it is."""

    data: Mapping[str, Any]
    source: str
    error: type[TableError]
    prefix: str = ""
    # Shared by a table and those within it.
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.data, Mapping):
            raise self._error(Fault(self.prefix.rstrip(".") or "the whole", "must be a table of keys"))

    def fault(self, key: str, reason: str) -> TableError:
        return self._error(Fault(f"{self.prefix}{key}", reason))

    def attempt(self, read: Callable[[], T]) -> T | None:
        """Call ``read``; on faults remember them and return None, so that all mistakes are told at once."""
        try:
            return read()
        except TableError as error:
            self.faults.extend(error.faults)
            return None

    def _error(self, fault: Fault) -> TableError:
        return self.error(join_faults(self.source, [fault]), [fault])

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raise one error for all keys that are not known."""
        ordered = sorted(known)
        reason = f"is not a known key (known: {', '.join(ordered)})"
        faults = [Fault(f"{self.prefix}{key}", reason) for key in self.data if key not in ordered]
        if faults:
            raise self.error(join_faults(self.source, faults), faults)

    def value(self, key: str, kind: type[T] | tuple[type[T], ...], description: str) -> T:
        if key not in self.data:
            raise self.fault(key, "is missing")
        value = self.data[key]
        # bool is an int to Python, but not to the person who writes the file
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.fault(key, f"must be {description}, not {shown(value)}")
        return value

    def text(self, key: str, *, may_be_empty: bool = False) -> str:
        value = self.value(key, str, "a text")
        if not value and not may_be_empty:
            raise self.fault(key, "must not be empty")
        return value

    def choice(self, key: str, choices: Sequence[str]) -> str:
        value = self.text(key)
        if value not in choices:
            raise self.fault(key, f"must be one of {', '.join(choices)}, not {shown(value)}")
        return value

    def integer(self, key: str, least: int, most: int) -> int:
        value = self.value(key, int, "an integer")
        if not least <= value <= most:
            raise self.fault(key, f"must be between {least} and {most}, not {shown(value)}")
        return value

    def number(self, key: str, *, may_be_zero: bool = False) -> float:
        given = self.value(key, (int, float), "a number")
        # An integer may be larger than any float.
        value = float(given) if abs(given) < 1e300 else math.inf
        if not math.isfinite(value) or value < 0 or (value == 0 and not may_be_zero):
            raise self.fault(key, f"must be finite and {'not negative' if may_be_zero else 'positive'}, not {value}")
        return value

    def items(self, key: str) -> list[Any]:
        """Return a list that is not empty; a tuple counts as one."""
        value = self.value(key, (list, tuple), "a list")
        if not value:
            raise self.fault(key, "must not be empty")
        return list(value)

    def table(self, key: str) -> Table:
        """Return a table within this one; an empty one where the key is absent."""
        return Table(self.data.get(key, {}), self.source, self.error, f"{self.prefix}{key}.", self.faults)

    def rows(self, key: str) -> list[Table]:
        """Return a list of tables that is not empty."""
        return [
            Table(row, self.source, self.error, f"{self.prefix}{key}[{number}].", self.faults)
            for number, row in enumerate(self.items(key))
        ]

    def shape(self, key: str, *, dimensions: int, least_side: int = 1, may_be_open: bool = False) -> tuple[int, ...]:
        """Return a list of positive integers; the first two are at least ``least_side``, or both 0 if allowed."""
        sides = self.items(key)
        # By type, as True and False are numbers to Python.
        closed = sides[2:] if may_be_open and sides[:2] == [0, 0] else sides
        if len(sides) != dimensions or not all(type(side) is int for side in sides) or min(closed) < 1:
            raise self.fault(key, f"must be {dimensions} positive integers, not {shown(sides)}")
        if closed is sides and min(sides[:2]) < least_side:
            raise self.fault(key, f"must have at least {least_side} rows and columns, not {shown(sides)}")
        return tuple(sides)
