"""The command line: its output, its files, and its exit status."""

from __future__ import annotations

import io
import json
import runpy
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from scoring.cli import main
from scoring.problems import CATALOGUE
from scoring.problems_page import problems_markdown
from scoring.protocol import Protocol, load_protocol
from tests.scoring.archives import BAD_ARCHIVES, write_submission

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.manifest import Manifest
    from tests.scoring.conftest import Images


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    """In place of the small one: the command line knows those that ship."""
    return load_protocol("aim22-p20")


@pytest.fixture
def submission(tmp_path: Path, images: Images) -> Path:
    predictions = {name: np.minimum(image + 1, 1023).astype(np.uint16) for name, image in images.items()}
    return write_submission(tmp_path / "mine.zip", predictions)


@pytest.fixture
def manifest_file(tmp_path: Path, manifest: Manifest) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest.to_json()))
    return path


def score(reference: Path, submission: Path, *more: object) -> int:
    return run("score", "--reference", reference, "--submission", submission, *more)


def check(manifest: Path, submission: Path, *more: object) -> int:
    return run("check", "--manifest", manifest, "--submission", submission, *more)


def run(command: str, *arguments: object, protocol: str = "aim22-p20") -> int:
    return main([command, "--protocol", protocol, *map(str, arguments)])


def written(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    assert list(data)[:6] == ["protocol", "metrics", "images", "factsheet", "warnings", "errors"]
    # How SSIM was worked out, where there are scores.
    assert list(data)[6:] == (["arithmetic"] if data["images"] else [])
    return data


def test_scoring_ends_with_0_and_a_table_in_the_protocols_order(
    reference_folder: Path, submission: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(reference_folder, submission) == 0

    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines() if "─" not in line]
    assert lines[0] == ["image", "SSIM", "PSNR", "[dB]"]
    assert [line[0] for line in lines[1:]] == ["6_0", "6_2", "6_10", "mean"]
    assert lines[4][2] == "60.21"
    assert err == ""


def test_the_scores_are_written_unrounded(reference_folder: Path, submission: Path, tmp_path: Path) -> None:
    score(reference_folder, submission, "--json", tmp_path / "out.json")

    data = written(tmp_path / "out.json")
    assert data["protocol"] == "aim22-p20"
    assert [image["name"] for image in data["images"]] == ["6_0", "6_2", "6_10"]
    # One level of 1024 nearly everywhere: 20·log10(1024), a little more where 1023 stayed.
    assert data["metrics"]["psnr"] == pytest.approx(60.21, abs=0.01)
    assert data["metrics"]["psnr"] != round(data["metrics"]["psnr"], 4)
    assert data["factsheet"]["device"] == "gpu"
    assert data["errors"] == []


def test_the_scores_may_go_to_standard_output(
    reference_folder: Path, submission: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(reference_folder, submission, "--json", "-")

    assert json.loads(capsys.readouterr().out)["protocol"] == "aim22-p20"


def test_a_rejected_submission_ends_with_2_and_says_why(
    reference_folder: Path, tmp_path: Path, images: Images, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = BAD_ARCHIVES["value-above-max"](tmp_path / "bad.zip", images)

    assert score(reference_folder, archive, "--json", tmp_path / "out.json") == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[:2] == [
        "bad.zip was rejected; errors: 1.",
        "error: submission/6_0.npy contains the value 1025; the largest that the protocol allows is 1024."
        "  [value-above-max]",
    ]
    data = written(tmp_path / "out.json")
    assert (data["metrics"], data["images"]) == ({}, [])
    assert data["errors"][0]["code"] == "value-above-max"
    assert data["errors"][0]["file"] == "submission/6_0.npy"


def test_a_good_form_ends_with_0(
    manifest_file: Path, submission: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(manifest_file, submission, "--json", tmp_path / "out.json") == 0

    assert capsys.readouterr().out.startswith("mine.zip: the form is right, with all 3 images of AIM 2022")
    data = written(tmp_path / "out.json")
    assert (data["metrics"], data["images"], data["errors"]) == ({}, [], [])


def test_a_bad_form_ends_with_2(
    manifest_file: Path, tmp_path: Path, images: Images, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = BAD_ARCHIVES["wrong-shape"](tmp_path / "bad.zip", images)

    assert check(manifest_file, archive, "--json", tmp_path / "out.json") == 2

    assert "[wrong-shape]" in capsys.readouterr().err
    assert written(tmp_path / "out.json")["errors"][0]["code"] == "wrong-shape"


def test_a_check_may_use_the_reference(reference_folder: Path, submission: Path) -> None:
    assert run("check", "--reference", reference_folder, "--submission", submission) == 0


def test_warnings_do_not_change_the_status(
    manifest_file: Path, tmp_path: Path, images: Images, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = write_submission(tmp_path / "mine.zip", images, readme=None)

    assert check(manifest_file, archive) == 0
    assert "warning: mine.zip has no readme.txt" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rescore"],
        ["score"],
        ["score", "--protocol", "aim22-s7", "--submission", "s.zip"],
        ["check", "--protocol", "aim22-s7", "--submission", "s.zip"],
        ["check", "--protocol", "aim22-s7", "--submission", "s.zip", "--reference", "r", "--manifest", "m"],
        ["problems", "--html"],
    ],
)
def test_a_mistake_in_the_arguments_ends_with_1(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("usage: python -m scoring")


def test_help_ends_with_0() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["score", "--help"])

    assert ended.value.code == 0


def test_an_unknown_protocol_ends_with_1(
    reference_folder: Path, submission: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", "--reference", reference_folder, "--submission", submission, protocol="x") == 1
    assert "there are: aim22-p20, aim22-s7" in capsys.readouterr().err


def test_a_submission_that_does_not_exist_ends_with_1(reference_folder: Path, tmp_path: Path) -> None:
    assert score(reference_folder, tmp_path / "none.zip") == 1


def test_a_bad_reference_ends_with_1(
    reference_folder: Path, submission: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (reference_folder / "6_0.npy").write_bytes(b"?")

    assert score(reference_folder, submission) == 1
    assert "6_0.npy" in capsys.readouterr().err


def test_a_result_that_cannot_be_written_ends_with_1(reference_folder: Path, submission: Path, tmp_path: Path) -> None:
    assert score(reference_folder, submission, "--json", tmp_path / "no folder" / "out.json") == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": []}', "\udcff"])
def test_a_bad_manifest_ends_with_1(
    text: str, submission: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text(text, "utf-8", "surrogateescape")

    assert check(tmp_path / "manifest.json", submission) == 1
    assert "manifest.json: " in capsys.readouterr().err


def test_the_page_of_problems_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problems", "--markdown"]) == 0
    assert capsys.readouterr().out == problems_markdown()


def test_problems_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problems"]) == 0
    assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines() if line[0] != " "] == list(CATALOGUE)


def test_standard_output_may_be_no_console(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)

    assert main(["problems", "--markdown"]) == 0
    assert out.getvalue() == problems_markdown()


def test_the_package_ends_with_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["scoring", "problems"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("scoring", run_name="__main__")

    assert ended.value.code == 0


def test_the_package_can_be_run() -> None:
    """In a process of its own, on a console that knows no more than ASCII."""
    ended = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "scoring", "problems"],
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "archive-not-zip" in ended.stdout
