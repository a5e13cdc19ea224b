"""Every error of the catalogue, found in an archive that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scoring.check import check_archive
from scoring.engine import score_archive
from scoring.problems import CATALOGUE, SubmissionRejected
from tests.scoring.archives import (
    BAD_ARCHIVES,
    FOUND_BY_SCORING_ONLY,
    OF_OTHER_CONTAINERS,
    write_submission,
)

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.check import CheckReport
    from scoring.manifest import Manifest
    from scoring.protocol import Protocol
    from scoring.reference import Reference
    from tests.scoring.conftest import Images


def test_every_error_of_the_catalogue_has_a_bad_archive() -> None:
    assert BAD_ARCHIVES.keys() | OF_OTHER_CONTAINERS == {
        code for code, entry in CATALOGUE.items() if entry.level == "error"
    }


@pytest.fixture
def archives(tmp_path: Path, images: Images) -> dict[str, Path]:
    """Write one bad archive for each code."""
    return {code: build(tmp_path / f"{code}.zip", images) for code, build in BAD_ARCHIVES.items()}


def test_scoring_rejects_each_by_its_code(archives: dict[str, Path], reference: Reference, protocol: Protocol) -> None:
    unlike = {}
    for code, archive in archives.items():
        try:
            score_archive(archive, reference, protocol)
        except SubmissionRejected as rejected:
            if code not in (found := [error.code for error in rejected.errors]):
                unlike[code] = found
        else:
            unlike[code] = ["scored"]
    assert unlike == {}


@pytest.fixture
def reports(archives: dict[str, Path], manifest: Manifest, protocol: Protocol) -> dict[str, CheckReport]:
    return {code: check_archive(archive, manifest, protocol, name=archive.name) for code, archive in archives.items()}


def test_check_finds_all_but_those_of_pixels_and_names_the_file(reports: dict[str, CheckReport]) -> None:
    found = {code: [error.code for error in report.errors] for code, report in reports.items()}
    nameless = [error for report in reports.values() for error in report.errors if not error.file]
    silent = [
        error
        for report in reports.values()
        for error in report.errors
        if error.file and error.file not in error.message
    ]

    assert {code: codes for code, codes in found.items() if (code in codes) == (code in FOUND_BY_SCORING_ONLY)} == {}
    assert [code for code in FOUND_BY_SCORING_ONLY if not reports[code].ok] == []
    assert (nameless, silent) == ([], [])


# Further problems that one mistake brings with it: none, or those that cannot be told apart from it.
ACCOMPANIED = {
    "compression-ratio": {"total-too-large"},
    "nested-archive": {"image-missing"},
    "overlapping-entries": {"image-twice"},
    "more-problems": {"image-surplus"},
    "total-too-large": {"compression-ratio"},
}


def test_one_mistake_is_one_kind_of_error(reports: dict[str, CheckReport]) -> None:
    others = {
        code: {error.code for error in report.errors} - {code} - ACCOMPANIED.get(code, set())
        for code, report in reports.items()
    }
    assert {code: codes for code, codes in others.items() if codes} == {}


def test_a_good_archive_has_no_problem_at_all(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    report = check_archive(write_submission(tmp_path / "good.zip", images), manifest, protocol)

    assert (report.errors, report.warnings) == ([], [])
