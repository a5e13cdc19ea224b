"""Everything that an import did, for the terminal and for the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bayerboard.challenges.audit import Act, record

if TYPE_CHECKING:
    from bayerboard.challenges.models import Challenge

Kind = Literal["created", "updated", "unchanged", "note"]
ACTS: dict[Kind, Act] = {"created": Act.CREATED, "updated": Act.CHANGED}


@dataclass(frozen=True)
class Change:
    """One thing that the import changed, kept or noted."""

    kind: Kind
    subject: str
    detail: str = ""
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    # Roles enter themselves into the audit log.
    is_entered: bool = False


@dataclass
class ImportReport:
    """Everything that an import did, in the order of the file."""

    changes: list[Change] = field(default_factory=list)

    def add(self, change: Change) -> None:
        self.changes.append(change)

    def note(self, subject: str, detail: str) -> None:
        """Add something that the reader should know, and that changed nothing."""
        self.add(Change("note", subject, detail))

    def enter(self, challenge: Challenge) -> None:
        """Enter all that changed into the challenge's audit log."""
        for change in self.changes:
            if change.kind in ACTS and not change.is_entered:
                record(challenge, None, ACTS[change.kind], change.subject, change.before, change.after)

    def count(self, kind: Kind) -> int:
        return sum(change.kind == kind for change in self.changes)

    @property
    def is_change(self) -> bool:
        return bool(self.count("created") or self.count("updated"))
