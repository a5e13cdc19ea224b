"""Facts of a phase and the reading of a readme: the page's script checks an archive with them before the upload."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from bayerboard.api.answers import api, for_members
from bayerboard.challenges.access import get_phase
from bayerboard.lib.refusals import Refused
from bayerboard.lib.templatetags.bayerboard_tags import seconds
from bayerboard.teams.access import inputs_refusal
from scoring.archive import DEFAULT_LIMITS
from scoring.catalogue import DETAILS
from scoring.check import MAX_IMAGES_DIAGNOSED, MAX_LISTED_ERRORS, factsheet_warnings
from scoring.factsheet import MAX_README_BYTES, FactSheet, parse_readme
from scoring.layout import MAX_LISTED_FOLDERS, MAX_LISTED_IGNORED
from scoring.naming import IMAGE_SUFFIXES, JUNK_FOLDERS, JUNK_NAMES, JUNK_PREFIX, NESTED_SUFFIXES
from scoring.npy import MAX_DIMENSIONS, MAX_HEADER_BYTES, PREFIX_BYTES
from scoring.pictures import MAX_PIXELS
from scoring.problems import CATALOGUE, MAX_SHOWN_CHARACTERS, UNNAMED_ARCHIVE

if TYPE_CHECKING:
    from bayerboard.challenges.models import Phase
    from scoring.protocol import Protocol

NAMES = {
    "junk_folders": sorted(JUNK_FOLDERS),
    "junk_names": sorted(JUNK_NAMES),
    "junk_prefix": JUNK_PREFIX,
    "image_suffixes": IMAGE_SUFFIXES,
    "nested_suffixes": NESTED_SUFFIXES,
}
LIMITS = {
    **asdict(DEFAULT_LIMITS),
    "max_directory_bytes": DEFAULT_LIMITS.max_directory_bytes,
    "max_readme_bytes": MAX_README_BYTES,
    "max_npy_header_bytes": MAX_HEADER_BYTES,
    "max_npy_dimensions": MAX_DIMENSIONS,
    "npy_prefix_bytes": PREFIX_BYTES,
    "max_picture_pixels": MAX_PIXELS,
    "max_images_diagnosed": MAX_IMAGES_DIAGNOSED,
    "max_listed_errors": MAX_LISTED_ERRORS,
    "max_listed_ignored": MAX_LISTED_IGNORED,
    "max_listed_folders": MAX_LISTED_FOLDERS,
}


@require_GET
@api
@for_members
def check_facts(request: HttpRequest, challenge: str, track: str, phase: str) -> HttpResponse:
    """Answer with the public manifest, the limits and the catalogue, to who may have the inputs: it names them all."""
    found = get_phase(request.user, challenge, track, phase)
    reason = inputs_refusal(request.user, found)
    if reason is not None:
        raise Refused(reason)
    return JsonResponse({**facts_of(found), **WORDS})


def facts_of(phase: Phase) -> dict[str, Any]:
    """Return the form that an archive of the phase must have."""
    protocol: Protocol = phase.track.protocol
    return {
        "manifest": phase.manifest.to_json(),
        "array_label": protocol.array_label,
        "white_level": protocol.white_level,
        "limits": LIMITS,
        "names": NAMES,
    }


# How what is wrong is said.
WORDS = {
    "catalogue": {code: asdict(entry) for code, entry in CATALOGUE.items()},
    "details": dict(DETAILS),
    "unnamed_archive": UNNAMED_ARCHIVE,
    "max_shown_characters": MAX_SHOWN_CHARACTERS,
}


@require_POST
@api
@for_members
def check_readme(request: HttpRequest, challenge: str, track: str, phase: str) -> HttpResponse:
    """Read a readme, whose bytes are the body, and answer with its fact sheet in words; nothing is stored."""
    get_phase(request.user, challenge, track, phase)
    name = request.GET.get("name", "readme.txt")
    factsheet = parse_readme(request.read(MAX_README_BYTES))
    warnings = [warning.to_json() for warning in factsheet_warnings(factsheet, name)]
    return JsonResponse({"factsheet": rows_of(factsheet), "warnings": warnings})


def rows_of(factsheet: FactSheet) -> list[tuple[str, str]]:
    """Return label and value of each line of the fact sheet, in the words of the submission's page."""
    device = {"cpu": "CPU", "gpu": "GPU", None: "–"}[factsheet.device]
    extra_data = {True: "yes", False: "no", None: "–"}[factsheet.extra_data]
    runtime = seconds(factsheet.runtime_s)
    rows = [
        ("Runtime", f"{runtime} per image" if factsheet.runtime_s is not None else runtime),
        ("Device", device),
        ("Extra data", extra_data),
    ]
    return [*rows, ("Method", factsheet.description)] if factsheet.description else rows
