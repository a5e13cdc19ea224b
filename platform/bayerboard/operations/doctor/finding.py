"""A finding: the thing that was checked, and its state."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How well it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the table: subject, state, and the remedy where it is not well."""

    area: str
    what: str
    level: Level
    says: str
    advice: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Area:
    """Makes the findings of one area."""

    name: str

    def ok(self, what: str, says: str) -> Finding:
        return Finding(self.name, what, Level.OK, says)

    def warning(self, what: str, says: str, advice: str) -> Finding:
        return Finding(self.name, what, Level.WARNING, says, advice)

    def problem(self, what: str, says: str, advice: str) -> Finding:
        return Finding(self.name, what, Level.PROBLEM, says, advice)
