"""Problems of a submission or a request, as a user reads them.

The wording itself stands in :mod:`scoring.catalogue`; the site, the command line and the pages all take it
from there, so that one fault has one code and one sentence wherever it is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoring.catalogue import CATALOGUE, CatalogueEntry, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scoring.factsheet import FactSheet

__all__ = [
    "CATALOGUE",
    "CatalogueEntry",
    "Level",
    "Problem",
    "ReferenceInvalid",
    "SubmissionRejected",
    "problem",
]

# The archive's name in messages about it as a whole, when nobody gave one.
UNNAMED_ARCHIVE = "The archive"
# Names come from participants: a message stays one readable line for any name.
MAX_SHOWN_CHARACTERS = 120


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in words for the person who can mend it."""

    code: str
    message: str
    hint: str
    file: str | None = None

    def to_json(self) -> dict[str, str | None]:
        return {"code": self.code, "message": self.message, "hint": self.hint, "file": self.file}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Problem:
        """Read data of :meth:`to_json`; KeyError when a field other than ``file`` is missing."""
        return cls(code=data["code"], message=data["message"], hint=data["hint"], file=data.get("file"))


# Warnings whose presence, or text, depends on an unrounded score: they are shown where the score itself is.
SCORE_DERIVED = frozenset({"column-undefined"})


def problem(code: str, *, file: str | None = None, **values: object) -> Problem:
    """Make the problem of a code, with the values that its sentences name filled in.

    Parameters
    ----------
    code
        A key of ``CATALOGUE``.
    file
        Name of the archive, of an entry in it, or of an image; without one the archive is meant.
    values
        Values for the names in braces of the entry's templates; shown by ``str``.

    Raises
    ------
    KeyError
        An unknown code, or a value that the templates name and the caller left out.
    """
    entry = CATALOGUE[code]
    shown = {key: printable(str(value)) for key, value in values.items()}
    shown["file"] = UNNAMED_ARCHIVE if file is None else printable(file)
    return Problem(
        code=code,
        message=entry.what.format_map(shown),
        hint=entry.to_do.format_map(shown),
        file=None if file is None else shown["file"],
    )


def printable(text: str) -> str:
    """Return one line of at most 120 printable characters: no control, direction or surrogate characters."""
    line = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    if len(line) <= MAX_SHOWN_CHARACTERS:
        return line
    half = MAX_SHOWN_CHARACTERS // 2
    return f"{line[: half - 1]}…{line[-half:]}"


class SubmissionRejected(Exception):
    """The archive is at fault; ``errors`` holds all of its faults."""

    def __init__(
        self,
        errors: Iterable[Problem],
        warnings: Iterable[Problem] = (),
        factsheet: FactSheet | None = None,
    ) -> None:
        self.errors = list(errors)
        self.warnings = list(warnings)
        self.factsheet = factsheet
        super().__init__("; ".join(f"{error.code}: {error.message}" for error in self.errors))


class ReferenceInvalid(Exception):
    """The reference set is at fault: the organiser's matter, never the participant's."""
