"""The check of an archive's form, beyond the one bad archive for each code."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scoring.archive import Limits
from scoring.check import MAX_IMAGES_DIAGNOSED, CheckReport, check_archive
from scoring.factsheet import FactSheet
from scoring.manifest import Manifest
from scoring.npy import parse_header
from scoring.problems import problem
from tests.scoring.archives import BAD_ARCHIVES, encrypted, npy_bytes, write_submission

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.protocol import Protocol
    from tests.scoring.conftest import Images


def codes(report: CheckReport) -> list[str]:
    return [error.code for error in report.errors]


def test_members_are_by_stem(tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol) -> None:
    report = check_archive(write_submission(tmp_path / "s.zip", images), manifest, protocol)

    assert report.ok
    assert {stem: entry.path for stem, entry in report.members.items()} == {
        stem: f"submission/{stem}.npy" for stem in images
    }


def test_the_factsheet_is_read(tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol) -> None:
    report = check_archive(write_submission(tmp_path / "s.zip", images), manifest, protocol)

    assert report.factsheet == FactSheet(0.0036, "gpu", False, "a test")


def test_an_archive_may_be_a_stream(tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol) -> None:
    data = write_submission(tmp_path / "s.zip", images).read_bytes()

    assert check_archive(io.BytesIO(data), manifest, protocol).ok


def test_messages_call_the_archive_by_the_name_that_was_given(manifest: Manifest, protocol: Protocol) -> None:
    report = check_archive(io.BytesIO(b"?"), manifest, protocol, name="mine.zip")

    assert report.errors == [problem("archive-not-zip", file="mine.zip")]


def test_the_path_of_a_stored_archive_is_not_shown(tmp_path: Path, manifest: Manifest, protocol: Protocol) -> None:
    (tmp_path / "3f9a").write_bytes(b"?")

    report = check_archive(tmp_path / "3f9a", manifest, protocol)

    assert report.errors[0].message == "The archive is not a zip archive."


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_byte_order_and_memory_order_do_not_matter(
    compression: int,
    dtype: str,
    order: str,
    tmp_path: Path,
    images: Images,
    manifest: Manifest,
    protocol: Protocol,
) -> None:
    changed = {stem: np.array(image, dtype=dtype, order=order) for stem, image in images.items()}  # type: ignore[call-overload]
    archive = write_submission(tmp_path / "s.zip", changed, compression=compression)

    assert check_archive(archive, manifest, protocol).ok


def test_all_errors_are_reported_at_once(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    archive = write_submission(
        tmp_path / "s.zip",
        {"6_2": images["6_2"][:3], "6_10": images["6_10"].astype(np.uint8)},
        extra={"other/7_0.npy": b""},
    )

    report = check_archive(archive, manifest, protocol)

    assert codes(report) == ["several-folders", "image-surplus", "image-missing", "wrong-shape", "wrong-dtype"]


def test_a_wrong_shape_and_a_wrong_type_are_two_errors(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    images["6_2"] = images["6_2"][:3].astype(np.float32)

    report = check_archive(write_submission(tmp_path / "s.zip", images), manifest, protocol)

    assert codes(report) == ["wrong-shape", "wrong-dtype"]


@pytest.mark.parametrize(
    ("dtype", "values", "code"),
    [
        ("float16", (0.0, 1.0), "looks-normalised"),
        ("float32", (0.2, 0.9), "looks-normalised"),
        (">f8", (0.2, 0.9), "looks-normalised"),
        ("float32", (0.0, 0.0), "wrong-dtype"),
        ("float32", (0.0, 1023.0), "wrong-dtype"),
        ("float32", (-0.1, 1.0), "negative-values"),
        ("float32", (np.nan, -1.0), "not-finite"),
        ("float32", (np.inf, 0.0), "not-finite"),
        ("int16", (0, 1023), "wrong-dtype"),
        ("int64", (-1, 1023), "negative-values"),
        ("uint8", (0, 1), "wrong-dtype"),
        ("bool", (0, 1), "wrong-dtype"),
        ("complex64", (0, 1), "wrong-dtype"),
        ("S4", (0, 1), "wrong-dtype"),
    ],
)
def test_a_wrong_type_is_explained_by_the_values(
    dtype: str,
    values: tuple[float, float],
    code: str,
    tmp_path: Path,
    images: Images,
    manifest: Manifest,
    protocol: Protocol,
) -> None:
    changed = np.full(protocol.shape, values[0]).astype(dtype)
    changed[3, 3, 3] = values[1]
    archive = write_submission(tmp_path / "s.zip", {**images, "6_2": changed})

    assert codes(check_archive(archive, manifest, protocol)) == [code]


def test_only_some_images_are_read_for_an_explanation(tmp_path: Path, protocol: Protocol) -> None:
    count = MAX_IMAGES_DIAGNOSED + 3
    normalised = {f"6_{number}": np.full(protocol.shape, 0.5) for number in range(count)}
    archive = write_submission(tmp_path / "s.zip", normalised)

    report = check_archive(archive, Manifest.for_names(normalised, protocol), protocol)

    assert Counter(codes(report)) == {"looks-normalised": MAX_IMAGES_DIAGNOSED, "wrong-dtype": 3}


def test_what_looks_normalised_is_told_the_levels(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    archive = BAD_ARCHIVES["looks-normalised"](tmp_path / "s.zip", images)

    (error,) = check_archive(archive, manifest, protocol).errors

    assert error.message == (
        "submission/6_0.npy holds float32 values between 0 and 1 and looks normalised: "
        "the protocol expects 0..1023 in uint16."
    )


def test_nothing_is_inflated_from_a_bomb(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    archive = write_submission(tmp_path / "s.zip", images, replace={"6_0": b"not an array"})

    report = check_archive(archive, manifest, protocol, Limits(max_total_bytes=100))

    assert codes(report) == ["total-too-large"]
    assert report.factsheet is None


def test_encryption_is_one_error_with_a_count(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    (error,) = check_archive(encrypted(tmp_path / "s.zip", images), manifest, protocol).errors

    assert error.message == "submission/6_0.npy is encrypted (such files in the archive: 4)."


@pytest.mark.parametrize("readme", ["", b"%PDF-1.7 \xff\xfe\x00"])
def test_an_unreadable_readme_is_a_warning(
    readme: str | bytes, tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    archive = write_submission(tmp_path / "s.zip", images, readme=readme)

    report = check_archive(archive, manifest, protocol)

    assert report.ok
    assert [warning.code for warning in report.warnings] == ["readme-unreadable"]


def test_an_incomplete_readme_is_told_what_it_lacks(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    archive = write_submission(tmp_path / "s.zip", images, readme="Runtime: 1 s\n")

    (warning,) = check_archive(archive, manifest, protocol).warnings

    assert warning.message == "submission/readme.txt does not say clearly: CPU or GPU, extra data."


def test_a_damaged_readme_is_a_warning(tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol) -> None:
    path = write_submission(tmp_path / "s.zip", images)
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("submission/readme.txt")
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(info.filename)] = 0xFF
    path.write_bytes(data)

    report = check_archive(path, manifest, protocol)

    assert report.ok
    assert [warning.code for warning in report.warnings] == ["readme-unreadable"]


def test_a_readme_of_any_length_is_read_to_a_bound(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    archive = write_submission(tmp_path / "s.zip", images, readme="Runtime: 1\n" + "x" * 1_000_000)

    report = check_archive(archive, manifest, protocol)

    assert report.factsheet == FactSheet(runtime_s=1.0)


def test_a_header_that_differs_from_the_files_length_is_told_both(
    tmp_path: Path, images: Images, manifest: Manifest, protocol: Protocol
) -> None:
    content = npy_bytes(images["6_0"])
    archive = write_submission(tmp_path / "s.zip", images, replace={"6_0": content + b"\0"})

    (error,) = check_archive(archive, manifest, protocol).errors

    announced = parse_header(content).data_bytes
    assert announced is not None
    assert f"holds {announced + 1} bytes of pixels where its header announces {announced}" in error.message
