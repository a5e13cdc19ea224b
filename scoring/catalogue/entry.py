"""One entry of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# error: the archive is rejected · warning: it is scored all the same · refusal: the site stores nothing
# failure: the scoring broke off, through no fault of the archive's form
Level = Literal["error", "warning", "refusal", "failure"]


@dataclass(frozen=True)
class CatalogueEntry:
    """One kind of problem: a sentence that describes it (``what``) and one of advice (``to_do``)."""

    level: Level
    what: str
    to_do: str
