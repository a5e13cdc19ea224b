"""The catalogue: code and wording of every problem that a user may meet.

Templates name values in braces and nothing else (no format specification), so that a page's script can
fill them in too. A sentence that names the archive begins with ``{file}``, which may become "The archive".
No template has a place for a reference value.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from scoring.catalogue.details import DETAILS
from scoring.catalogue.entry import CatalogueEntry, Level
from scoring.catalogue.requests import FAILURES, REFUSALS
from scoring.catalogue.submissions import ARCHIVE_ERRORS, IMAGE_ERRORS, NAME_ERRORS, WARNINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CATALOGUE", "DETAILS", "CatalogueEntry", "Level"]

CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType(
    {**ARCHIVE_ERRORS, **NAME_ERRORS, **IMAGE_ERRORS, **WARNINGS, **REFUSALS, **FAILURES}
)
