"""Reading unchecked mappings (TOML, JSON) with messages that name the source and the key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """A mapping whose keys are checked one by one; every fault is an ``error`` that names where it is."""

    data: Mapping[str, Any]
    source: str
    error: type[ValueError]
    prefix: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.data, Mapping):
            raise self.error(f"{self.source}: {self.prefix.rstrip('.') or 'the whole'}: must be a table of keys")

    def fault(self, key: str, reason: str) -> ValueError:
        return self.error(f"{self.source}: {self.prefix}{key}: {reason}")

    def refuse_unknown(self, known: set[str]) -> None:
        for key in self.data:
            if key not in known:
                raise self.fault(str(key), f"is not a known key (known: {', '.join(sorted(known))})")

    def value(self, key: str, kind: type[T] | tuple[type[T], ...], description: str) -> T:
        if key not in self.data:
            raise self.fault(key, "is missing")
        value = self.data[key]
        # bool is an int to Python, but not to the person who writes the file
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.fault(key, f"must be {description}, not {value!r}")
        return value

    def text(self, key: str, *, may_be_empty: bool = False) -> str:
        value = self.value(key, str, "a text")
        if not value and not may_be_empty:
            raise self.fault(key, "must not be empty")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in choices:
            raise self.fault(key, f"must be one of {', '.join(choices)}, not {value!r}")
        return value

    def integer(self, key: str, least: int, most: int) -> int:
        value = self.value(key, int, "an integer")
        if not least <= value <= most:
            raise self.fault(key, f"must be between {least} and {most}, not {value}")
        return value

    def number(self, key: str, *, may_be_zero: bool = False) -> float:
        value = float(self.value(key, (int, float), "a number"))
        if not math.isfinite(value) or value < 0 or (value == 0 and not may_be_zero):
            raise self.fault(key, f"must be finite and {'not negative' if may_be_zero else 'positive'}, not {value}")
        return value

    def items(self, key: str) -> list[Any]:
        """A list that is not empty; a tuple counts as one."""
        value = self.value(key, (list, tuple), "a list")
        if not value:
            raise self.fault(key, "must not be empty")
        return list(value)

    def rows(self, key: str) -> list[Table]:
        """A list of tables that is not empty."""
        return [
            Table(row, self.source, self.error, f"{self.prefix}{key}[{number}].")
            for number, row in enumerate(self.items(key))
        ]

    def shape(self, key: str, *, dimensions: int, least_side: int = 1) -> tuple[int, ...]:
        """A list of so many positive integers, of which the first two are at least ``least_side``."""
        sides = self.items(key)
        if len(sides) != dimensions or not all(type(side) is int and side > 0 for side in sides):
            raise self.fault(key, f"must be {dimensions} positive integers, not {sides!r}")
        if min(sides[:2]) < least_side:
            raise self.fault(key, f"must have at least {least_side} rows and columns, not {sides!r}")
        return tuple(sides)
