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

    from scoring.manifest import Manifest
    from scoring.protocol import Protocol
    from scoring.reference import Reference
    from tests.scoring.conftest import Images

CHECKED = sorted(BAD_ARCHIVES.keys() - FOUND_BY_SCORING_ONLY)


def test_every_error_of_the_catalogue_has_a_bad_archive() -> None:
    assert BAD_ARCHIVES.keys() | OF_OTHER_CONTAINERS == {
        code for code, entry in CATALOGUE.items() if entry.level == "error"
    }


@pytest.mark.parametrize("code", CHECKED)
def test_check_finds_it(code: str, tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol) -> None:
    report = check_archive(BAD_ARCHIVES[code](tmp_path / "bad.zip", images), manifest, protocol)

    assert code in [error.code for error in report.errors]


@pytest.mark.parametrize("code", sorted(BAD_ARCHIVES))
def test_scoring_rejects_it(
    code: str, tmp_path: Path, images: Images, reference: Reference, protocol: Protocol
) -> None:
    archive = BAD_ARCHIVES[code](tmp_path / "bad.zip", images)

    with pytest.raises(SubmissionRejected) as rejection:
        score_archive(archive, reference, protocol)

    assert code in [error.code for error in rejection.value.errors]


@pytest.mark.parametrize("code", sorted(FOUND_BY_SCORING_ONLY))
def test_check_does_not_read_the_pixels(
    code: str, tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    report = check_archive(BAD_ARCHIVES[code](tmp_path / "bad.zip", images), manifest, protocol)

    assert report.ok


@pytest.mark.parametrize("code", CHECKED)
def test_its_message_names_the_file(
    code: str, tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    archive = BAD_ARCHIVES[code](tmp_path / "bad.zip", images)

    report = check_archive(archive, manifest, protocol, name="bad.zip")

    for error in report.errors:
        assert error.file is not None
        assert error.file in error.message


# Further problems that one mistake brings with it: none, or those that cannot be told apart from it.
ACCOMPANIED = {
    "compression-ratio": {"total-too-large"},
    "nested-archive": {"image-missing"},
    "overlapping-entries": {"image-twice"},
    "more-problems": {"image-surplus"},
    "total-too-large": {"compression-ratio"},
}


@pytest.mark.parametrize("code", CHECKED)
def test_one_mistake_is_one_kind_of_error(
    code: str, tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    report = check_archive(BAD_ARCHIVES[code](tmp_path / "bad.zip", images), manifest, protocol)

    assert {error.code for error in report.errors} <= {code} | ACCOMPANIED.get(code, set())


def test_a_good_archive_has_no_problem_at_all(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    report = check_archive(write_submission(tmp_path / "good.zip", images), manifest, protocol)

    assert (report.errors, report.warnings) == ([], [])
