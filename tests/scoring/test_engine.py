"""Scoring whole archives."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scoring.engine import MAX_LISTED_VALUE_ERRORS, score_archive
from scoring.factsheet import FactSheet
from scoring.manifest import Manifest
from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim
from scoring.problems import ReferenceInvalid, SubmissionRejected
from scoring.reference import Reference
from scoring.report import ScoreReport
from tests.scoring.archives import README, npy_bytes, write_submission

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.protocol import Protocol
    from tests.scoring.conftest import Images


@pytest.fixture
def predictions(images: Images) -> Images:
    """Return the reference images, each shifted by another small number of levels."""
    return {
        name: np.clip(image.astype(np.int32) + shift, 0, 1023).astype(np.uint16)
        for shift, (name, image) in enumerate(images.items(), start=1)
    }


def test_every_image_is_scored_against_the_reference_of_its_name(
    tmp_path: Path, images: Images, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    shuffled = dict(reversed(predictions.items()))

    report = score_archive(write_submission(tmp_path / "s.zip", shuffled), reference, protocol)

    assert [image.name for image in report.images] == ["6_0", "6_2", "6_10"]
    for image in report.images:
        pair = images[image.name], predictions[image.name]
        expected = {"psnr": psnr(*pair, data_range=1024), "ssim": ssim(*pair, data_range=1024)}
        assert image.values == pytest.approx(expected, rel=0, abs=1e-12)


def test_the_submissions_metrics_are_the_arithmetic_means(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    report = score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol)

    for key in ("psnr", "ssim"):
        values = [image.values[key] for image in report.images]
        assert report.metrics[key] == pytest.approx(sum(values) / 3, rel=1e-14)


def test_byte_order_and_memory_order_change_no_score(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    plain = score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol)
    turned = {name: np.asfortranarray(image.astype(">u2")) for name, image in predictions.items()}

    report = score_archive(write_submission(tmp_path / "t.zip", turned), reference, protocol)

    assert report == plain


def test_an_archive_may_be_a_stream(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    path = write_submission(tmp_path / "s.zip", predictions)

    streamed = score_archive(io.BytesIO(path.read_bytes()), reference, protocol)

    assert streamed == score_archive(path, reference, protocol)


def test_the_json_is_the_documented_one(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    report = score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol)

    data = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert list(data) == ["protocol", "metrics", "images", "factsheet", "warnings", "errors", "arithmetic"]
    assert data["protocol"] == "tiny"
    assert data["metrics"] == report.metrics
    assert data["images"][0] == {"name": "6_0", **report.images[0].values}
    assert data["factsheet"] == FactSheet(0.0036, "gpu", False, "a test").to_json()
    assert (data["warnings"], data["errors"]) == ([], [])
    # One tile for each of the images, which are small.
    assert data["arithmetic"] == {"tiles": len(data["images"]), "float32_tiles": report.arithmetic.float32_tiles}


def test_warnings_have_code_message_and_file(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    archive = write_submission(tmp_path / "s.zip", predictions, extra={"Thumbs.db": b""})

    (warning,) = score_archive(archive, reference, protocol).to_json()["warnings"]

    assert (warning["code"], warning["file"]) == ("junk-ignored", "Thumbs.db")
    assert "Thumbs.db" in warning["message"]


def test_progress_counts_images(tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol) -> None:
    seen: list[tuple[int, int]] = []

    score_archive(
        write_submission(tmp_path / "s.zip", predictions),
        reference,
        protocol,
        on_progress=lambda done, total: seen.append((done, total)),
    )

    assert seen == [(1, 3), (2, 3), (3, 3)]


class LostLeaseError(Exception):
    """The exception of a worker whose work is no longer its own."""


@pytest.mark.parametrize("jobs", [2, None])
def test_several_at_once_give_the_same_report(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol, jobs: int | None
) -> None:
    archive = write_submission(tmp_path / "s.zip", predictions)

    assert score_archive(archive, reference, protocol, jobs=jobs) == score_archive(archive, reference, protocol)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_progress_raises_ends_the_scoring(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol, jobs: int
) -> None:
    seen: list[int] = []

    def lose_at_second(done: int, total: int) -> None:
        seen.append(done)
        if done == 2:
            raise LostLeaseError

    with pytest.raises(LostLeaseError):
        score_archive(
            write_submission(tmp_path / "s.zip", predictions),
            reference,
            protocol,
            on_progress=lose_at_second,
            jobs=jobs,
        )
    assert seen == [1, 2]


def test_an_archive_of_the_wrong_form_is_not_scored_at_all(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    seen: list[int] = []
    del predictions["6_2"]

    with pytest.raises(SubmissionRejected) as rejection:
        score_archive(
            write_submission(tmp_path / "s.zip", predictions, extra={"Thumbs.db": b""}),
            reference,
            protocol,
            on_progress=lambda done, total: seen.append(done),
        )

    assert [error.code for error in rejection.value.errors] == ["image-missing"]
    assert [warning.code for warning in rejection.value.warnings] == ["junk-ignored"]
    assert rejection.value.factsheet == FactSheet(0.0036, "gpu", False, "a test")
    assert seen == []


def test_the_largest_legal_value_is_the_scorers(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    predictions["6_0"][0, 0, 0] = 1024

    report = score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol)

    assert {image.name for image in report.images} == set(predictions)
    assert report.warnings == ()


def test_value_errors_are_collected_over_all_images(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    predictions["6_0"][0, 0, 0] = 1025
    predictions["6_10"][0, 0, 0] = 65535

    with pytest.raises(SubmissionRejected) as rejection:
        score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol)

    assert [error.message for error in rejection.value.errors] == [
        "submission/6_0.npy contains the value 1025; the largest that the protocol allows is 1024.",
        "submission/6_10.npy contains the value 65535; the largest that the protocol allows is 1024.",
    ]


def test_many_value_errors_are_listed_up_to_a_bound(tmp_path: Path, protocol: Protocol) -> None:
    count = MAX_LISTED_VALUE_ERRORS + 2
    images = {f"1_{number}": np.full(protocol.shape, 7, np.uint16) for number in range(count)}
    (tmp_path / "many").mkdir()
    for name, image in images.items():
        np.save(tmp_path / "many" / f"{name}.npy", image)
    archive = write_submission(tmp_path / "s.zip", {name: image + 2000 for name, image in images.items()})

    with (
        Reference.open(tmp_path / "many", protocol) as reference,
        pytest.raises(SubmissionRejected) as rejection,
    ):
        score_archive(archive, reference, protocol)

    assert len(rejection.value.errors) == MAX_LISTED_VALUE_ERRORS + 1
    assert rejection.value.errors[-1].message == "The archive has 2 more problems than are listed."


def test_images_of_zeros_are_a_warning(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    predictions["6_0"][:] = 0
    predictions["6_10"][:] = 0

    (warning,) = score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol).warnings

    assert warning.code == "images-all-zero"
    assert warning.message == "submission/6_0.npy is zero everywhere (such images: 2)."


def test_no_value_above_255_is_a_warning(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    dark = {name: image // 4 for name, image in predictions.items()}

    (warning,) = score_archive(write_submission(tmp_path / "s.zip", dark), reference, protocol).warnings

    assert warning.code == "values-look-8-bit"


def test_one_bright_image_is_enough_to_be_no_8_bit(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    predictions["6_0"] //= 4

    assert score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol).warnings == ()


def test_a_damaged_reference_is_not_the_submissions_fault(
    tmp_path: Path, predictions: Images, reference: Reference, reference_folder: Path, protocol: Protocol
) -> None:
    spoilt = reference_folder / "6_2.npy"
    spoilt.write_bytes(spoilt.read_bytes()[:-1])

    with pytest.raises(ReferenceInvalid, match=r"6_2\.npy"):
        score_archive(write_submission(tmp_path / "s.zip", predictions), reference, protocol)


def test_names_are_compared_with_the_references(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    assert reference.manifest() == Manifest.for_names(predictions, protocol)


def test_a_submission_without_a_readme_has_no_factsheet(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    report = score_archive(write_submission(tmp_path / "s.zip", predictions, readme=None), reference, protocol)

    assert report.to_json()["factsheet"] is None


def test_pixels_are_read_from_where_the_header_ends(
    tmp_path: Path, predictions: Images, reference: Reference, protocol: Protocol
) -> None:
    """A header padded to another length, as other programs write it."""
    plain = npy_bytes(predictions["6_0"])
    padded = plain[:8] + (118 + 64).to_bytes(2, "little") + plain[10:127] + b" " * 64 + plain[127:]
    archive = write_submission(tmp_path / "s.zip", predictions, replace={"6_0": padded}, readme=README)

    expected = score_archive(write_submission(tmp_path / "t.zip", predictions), reference, protocol)
    assert score_archive(archive, reference, protocol) == expected


def test_a_report_without_ssim_says_nothing_of_its_arithmetic() -> None:
    assert "arithmetic" not in ScoreReport("tiny", {}, (), None, ()).to_json()
