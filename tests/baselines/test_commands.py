"""The command lines of training, evaluating, exporting and telling, on data of a few tiles."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

import pytest

from baselines.__main__ import main
from baselines.catalogue import get_method
from baselines.errors import BaselineError
from baselines.predict import load_module
from tests.baselines.conftest import save_pairs

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
QUICK = ["--batch", "1", "--crop", "32", "--threads", "1", "--device", "cpu"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data set with a training and a validation split."""
    for split in ("train", "val"):
        save_pairs(tmp_path / "data", "s7", split, ["1_0"])
    return tmp_path / "data"


def test_train_stops_goes_on_and_validates(data: Path, tmp_path: Path, capsys: Capture) -> None:
    command = ["train", "mbispld", "--data", str(data), "--out", str(tmp_path / "run"), "--steps", "2", *QUICK]

    assert main([*command, "--until", "1"]) == 0
    assert main([*command, "--resume"]) == 0

    printed = capsys.readouterr().out
    assert "validation: psnr" in printed
    assert str(tmp_path / "run" / "weights.safetensors") in printed
    assert (tmp_path / "run" / "log.csv").read_text().count("\n") == 3


def test_trained_weights_are_evaluated(data: Path, tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    main(["train", "mbispld", "--data", str(data), "--out", str(run), "--steps", "1", *QUICK])
    capsys.readouterr()
    weights = ["--weights", str(run / "weights.safetensors")]

    assert main(["evaluate", "mbispld", "--track", "s7", "--data", str(data), *weights, "--json"]) == 0

    result = json.loads(capsys.readouterr().out)
    assert result["metrics"].keys() >= {"psnr", "ssim"}
    assert result["prediction"]["parameters"] == 415_307
    assert result["prediction"]["extra_data"] is False


def test_evaluate_in_words(data: Path, capsys: Capture) -> None:
    assert main(["evaluate", "mosaic", "--track", "s7", "--data", str(data)]) == 0

    assert "mosaic on s7, split val: 1 images, psnr" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["train", "upi", "--data", "{data}", "--out", "{out}"], "upi is a formula: there is nothing to train"),
        (["train", "unet", "--track", "mai22", "--data", "{data}", "--out", "{out}"], "only s7, p20"),
        (["train", "unet", "--data", "{out}", "--out", "{out}"], "has no pairs of split 'train'"),
        (["train", "unet", "--data", "{data}", "--out", "{out}", "--resume"], "leave out --resume"),
        (["train", "unet", "--data", "{data}", "--out", "{out}", "--threads", "0"], "At least one thread"),
        (["evaluate", "upi", "--track", "s7", "--data", "{data}", "--weights", "{out}"], "leave out --weights"),
        (["evaluate", "upi", "--track", "s7", "--data", "{data}", "--device", "cuda"], "runs on the CPU"),
        (["evaluate", "upi", "--track", "s7", "--data", "{data}", "--batch", "0"], "at least one tile"),
        (["evaluate", "unet", "--track", "s7", "--data", "{data}", "--weights", "{out}"], "There is no file"),
        (["export", "unet", "--format", "tflite", "--output", "{out}"], "use --format onnx"),
        (["export", "nothing", "--format", "onnx", "--output", "{out}"], "no baseline called 'nothing'"),
        (["info", "learned_isp", "--track", "s7"], "only mai22"),
        (["denoise", "--track", "s7", "--data", "{out}"], "has no pairs"),
    ],
)
def test_what_is_wrong_is_said(command: list[str], message: str, data: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main([word.format(data=data, out=tmp_path / "out") for word in command]) == 1

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error


def test_a_missing_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(module: str) -> None:
        raise ModuleNotFoundError(f"No module named 'torch', for {module}", name="torch")

    monkeypatch.setattr(importlib, "import_module", without)

    with pytest.raises(BaselineError, match=r"pip install 'bayerboard\[baselines\]'"):
        load_module(get_method("unet"))


def test_info_of_a_network(capsys: Capture) -> None:
    assert main(["info", "mbispld", "--track", "s7"]) == 0

    printed = capsys.readouterr().out
    for expected in ("parameters 415,307", "receptive field the whole tile", "white balance atoms", "data_sha256"):
        assert expected in printed


def test_info_of_a_formula(capsys: Capture) -> None:
    assert main(["info", "upi"]) == 0

    assert "parameters 0" in capsys.readouterr().out


def test_denoise_reports_a_margin(data: Path, capsys: Capture) -> None:
    for split in ("train", "test"):
        save_pairs(data, "s7", split, ["1_0", "1_1"])
    few = ["--few", "1", "--generated", "1", "--steps", "2"]

    assert main(["denoise", "--track", "s7", "--data", str(data), *few]) == 0

    assert "margin " in capsys.readouterr().out
