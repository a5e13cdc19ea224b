from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from baselines.__main__ import COMMANDS, main

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def references(tmp_path: Path) -> Path:
    """Return a folder of four small references."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for name in range(4):
        np.save(folder / f"1_{name}.npy", np.full((8, 8, 4), 500, np.uint16))
    return folder


def test_help_lists_the_commands(capsys: Capture) -> None:
    assert main(["--help"]) == 0

    printed = capsys.readouterr().out
    assert all(name in printed for name in COMMANDS)


def test_no_command_is_wrong_usage() -> None:
    assert main([]) == 1


def test_unknown_command_lists_the_known_ones(capsys: Capture) -> None:
    assert main(["trian"]) == 1

    known = ", ".join(COMMANDS)
    assert capsys.readouterr().err == f"error: no command 'trian'; known: {known}\n"


def test_predict_writes_a_submission(tiles: Path, tmp_path: Path, capsys: Capture) -> None:
    output = tmp_path / "s.zip"

    assert main(["predict", "mosaic", "--track", "s7", "--input", str(tiles), "--output", str(output)]) == 0

    assert zipfile.is_zipfile(output)
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{output}: 3 images, ")
    assert captured.err == "predict 3/3\n"


def test_predict_says_what_is_wrong(tmp_path: Path, capsys: Capture) -> None:
    arguments = ["predict", "mosaic", "--track", "s7", "--input", str(tmp_path), "--output", str(tmp_path / "s.zip")]

    assert main(arguments) == 1

    assert capsys.readouterr().err == f"error: {tmp_path} has no .jpg file in it.\n"


def test_predict_lists_known_methods(tiles: Path, tmp_path: Path, capsys: Capture) -> None:
    arguments = ["predict", "upscale", "--track", "s7", "--input", str(tiles), "--output", str(tmp_path / "s.zip")]

    assert main(arguments) == 1

    assert "Known: mosaic, upi, unet, mbispld, learned_isp." in capsys.readouterr().err


def test_predict_says_where_it_cannot_write(tiles: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_bytes(b"")
    output = tmp_path / "file" / "s.zip"

    assert main(["predict", "mosaic", "--track", "s7", "--input", str(tiles), "--output", str(output)]) == 1

    assert str(tmp_path / "file") in capsys.readouterr().err


def test_wrong_usage_exits_1(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["predict", "mosaic", "--track", "s9"])

    assert caught.value.code == 1
    assert "invalid choice: 's9'" in capsys.readouterr().err


def test_data_make_prints_its_summary_as_json(tmp_path: Path, capsys: Capture) -> None:
    arguments = ["--out", str(tmp_path), "--track", "s7", "--split", "test", "--scenes", "1", "--rows", "1"]

    assert main(["data", "make", *arguments, "--cols", "1", "--first-photo", "7", "--jobs", "1", "--json"]) == 0

    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "track": "s7",
        "split": "test",
        "photos": [7],
        "tiles": 1,
        "rgb": str(tmp_path / "test_rgb"),
        "raw": str(tmp_path / "test_raw"),
    }
    assert captured.err == "s7 test: scene 1/1\n"


def test_data_make_says_what_is_wrong(tmp_path: Path, capsys: Capture) -> None:
    assert main(["data", "make", "--out", str(tmp_path), "--track", "s7", "--scenes", "0"]) == 1

    assert capsys.readouterr().err == "error: The number of scenes cannot be 0: the least is 1.\n"


def test_data_degrade_writes_what_it_was_told(references: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.zip"
    declared = ["--runtime", "0.02", "--device", "gpu", "--extra-data", "--description", "night shift"]

    assert main(["data", "degrade", "--reference", str(references), "--output", str(output), *declared]) == 0

    with zipfile.ZipFile(output) as archive:
        values = [line.split(" : ")[1] for line in archive.read("readme.txt").decode().splitlines()]
    assert values == ["0.020000", "0", "1", "night shift"]


def test_data_degrade_can_break(references: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.zip"

    assert main(["data", "degrade", "--reference", str(references), "--output", str(output), "--broken"]) == 0

    with zipfile.ZipFile(output) as archive:
        assert "surplus.npy" in archive.namelist()


def test_data_degrade_says_what_is_wrong(tmp_path: Path, capsys: Capture) -> None:
    arguments = ["--reference", str(tmp_path), "--output", str(tmp_path / "s.zip"), "--blur", "-1"]

    assert main(["data", "degrade", *arguments]) == 1

    assert capsys.readouterr().err == "error: Blur and noise cannot be negative.\n"
