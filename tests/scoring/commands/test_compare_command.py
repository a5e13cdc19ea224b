"""``compare`` as it is typed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from scoring.cli import main
from scoring.commands.compare import comparison_text
from scoring.compare import compare_reports
from scoring.protocol import Protocol, load_protocol
from scoring.report import ImageScore, ScoreReport
from tests.scoring.archives import BAD_ARCHIVES, write_submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PHOTOS = 7
Pictures = dict[str, "NDArray[np.uint16]"]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """One tile of each photo."""
    generator = np.random.default_rng(1)
    shape = load_protocol("aim22-s7").shape
    return {f"{photo}_0": generator.integers(100, 900, shape, dtype=np.uint16) for photo in range(PHOTOS)}


@pytest.fixture(scope="module")
def reference(pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    for name, image in pictures.items():
        np.save(folder / f"{name}.npy", image)
    return folder


@pytest.fixture(scope="module")
def archives(pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a submission that is one level off, and one that is two to eight off."""
    folder = tmp_path_factory.mktemp("archives")
    near = {name: image + np.uint16(1) for name, image in pictures.items()}
    far = {name: image + np.uint16(2 + number) for number, (name, image) in enumerate(pictures.items())}
    return write_submission(folder / "near.zip", near), write_submission(folder / "far.zip", far)


def compare(first: Path, second: Path, reference: Path, *more: object) -> int:
    arguments = ["compare", first, second, "--protocol", "aim22-s7", "--reference", reference, *more]
    return main([str(argument) for argument in arguments])


def test_the_better_one_is_named(
    archives: tuple[Path, Path], reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(*archives, reference) == 0

    out, err = capsys.readouterr()
    assert "PSNR: A (near.zip) is better, by " in out
    assert "Independent units: 7 photos." in out
    # The image that is eight levels off differs most.
    table = out.split("Where they differ most:")[1].split("\n")
    assert table[4].startswith("6_0 ")
    assert err == ""


def test_json_goes_to_standard_output_in_place_of_the_table(
    archives: tuple[Path, Path], reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(*reversed(archives), reference, "--json", "-") == 0

    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert list(data) == ["protocol", "submissions", "units", "unit", "columns", "images"]
    assert [one["name"] for one in data["submissions"]] == ["far.zip", "near.zip"]
    assert [column["verdict"] for column in data["columns"]] == ["second", "second"]
    assert data["columns"][0]["interval"][1] < 0
    assert data["images"][0]["name"] == "6_0"


def test_a_bad_submission_ends_with_2(
    archives: tuple[Path, Path],
    pictures: Pictures,
    reference: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = BAD_ARCHIVES["value-above-max"](tmp_path / "bad.zip", pictures)

    assert compare(archives[0], bad, reference, "--json", tmp_path / "out.json") == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "bad.zip was rejected" in err
    data = json.loads((tmp_path / "out.json").read_text())
    assert (data["columns"], data["submissions"][0]["errors"]) == ([], [])
    assert data["submissions"][1]["errors"][0]["code"] == "value-above-max"


def test_two_of_the_same_name_are_called_by_their_paths(
    archives: tuple[Path, Path], reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(archives[0], archives[0], reference, "--images", 0) == 0

    out = capsys.readouterr().out
    assert out.startswith(f"A  {archives[0]}\nB  {archives[0]}")
    assert "PSNR: the same score." in out
    assert "differ most" not in out


def test_what_cannot_be_compared_ends_with_1(
    archives: tuple[Path, Path], reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load_protocol("aim22-s7").to_json()
    columns = [
        '[[columns]]\nkey = "overall"\nlabel = "Overall"\ndirection = "desc"\nprecision = 2\nunit = ""\n'
        'formula = "psnr + ssim"\n'
    ]
    plain = {key: value for key, value in data.items() if key != "columns"}
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in plain.items())
    (tmp_path / "own.toml").write_text("\n".join([text, *columns]))

    arguments = ["compare", *archives, "--protocol", tmp_path / "own.toml", "--reference", reference]
    assert main([str(argument) for argument in arguments]) == 1
    assert "nothing to compare" in capsys.readouterr().err


# --- The text -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("aim22-s7")


def report(gains: Sequence[float]) -> ScoreReport:
    images = [ImageScore(f"{photo}_0", {"psnr": 30 + gain, "ssim": 0.8}) for photo, gain in enumerate(gains)]
    return ScoreReport("aim22-s7", {"psnr": 30 + float(np.mean(gains)), "ssim": 0.8}, tuple(images), None, ())


def test_a_difference_that_may_be_chance_is_said_to_be(protocol: Protocol) -> None:
    text = comparison_text(compare_reports(report([1, -1] * 4 + [1]), report([0] * 9), protocol), ["a", "b"], 1)

    assert "PSNR: the difference may be chance." in text


def test_too_few_photos_are_said_to_be(protocol: Protocol) -> None:
    text = comparison_text(compare_reports(report([1]), report([0]), protocol), ["a", "b"], 1)

    assert "PSNR: whether the difference is real cannot be said. 1 are too few for a statement" in text
    assert "Independent units: 1 photo." in text
    assert "–" in text


def test_columns_that_are_left_out_are_named(protocol: Protocol) -> None:
    psnr, ssim = protocol.columns
    composite = replace(protocol, columns=(psnr, replace(ssim, key="overall", label="Overall")))

    text = comparison_text(compare_reports(report([1] * 6), report([0] * 6), composite), ["a", "b"], 1)

    assert "Not compared, as they have no value for each image: Overall." in text


def test_the_winner_is_named_with_the_unit(protocol: Protocol) -> None:
    text = comparison_text(compare_reports(report([0] * 8), report([1] * 8), protocol), ["a", "b"], 1)

    assert "PSNR: B (b) is better, by 1.00 dB." in text
