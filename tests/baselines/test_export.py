"""Every method in another format gives the same numbers: ONNX under onnxruntime, TFLite under LiteRT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from baselines.catalogue import METHODS, get_method
from baselines.data.camera import CAMERAS, quantise
from baselines.errors import BaselineError
from baselines.learned_isp.phone import (
    PACKED_SHAPE,
    RGB_SHAPE,
    TFLITE,
    TFLITE_FP16,
    PhoneGraph,
    PhoneRuntime,
    mai21_score,
    mai22_score,
    write_tflite,
)
from baselines.learning import export as module
from baselines.learning.export import export_onnx, load_graph, run_onnx
from baselines.predict import load_module
from tests.baselines.conftest import drawn_tile

if TYPE_CHECKING:
    from pathlib import Path

SMALL = 100_000


@pytest.mark.parametrize("name", [method.name for method in METHODS])
def test_onnx_gives_the_networks_numbers_at_another_size(name: str, tmp_path: Path) -> None:
    method = get_method(name)

    difference = export_onnx(method, method.tracks[0], tmp_path / "model.onnx")

    assert difference <= module.TOLERANCE
    tiles = np.full((1, 4, 20, 28) if name == "learned_isp" else (1, 3, 40, 56), 0.5, np.float32)
    shape = (1, 3, 40, 56) if name == "learned_isp" else (1, 4, 20, 28)
    assert run_onnx(tmp_path / "model.onnx", tiles, np.zeros((1, 4), np.float32)).shape == shape


@pytest.mark.parametrize(("name", "track"), [("mosaic", "s7"), ("upi", "s7"), ("upi", "p20")])
def test_the_graph_of_a_formula_is_the_formula(name: str, track: str) -> None:
    method, tile = get_method(name), drawn_tile(32)
    rgb = torch.from_numpy(tile).permute(2, 0, 1)[None].float() / 255

    raw = load_graph(method, track, None)(rgb, torch.zeros(1, 4))[0].permute(1, 2, 0).numpy()

    expected = load_module(method).predict_packed_raw(tile, track).astype(int)
    assert np.abs(1024 * raw - expected).max() <= 1


def test_a_file_with_other_numbers_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_write_onnx", lambda _network, _track, path: path.write_bytes(b""))
    monkeypatch.setattr(module, "largest_difference", lambda *_: 0.1)

    with pytest.raises(BaselineError, match=r"differs from the network by 0\.1: it was not kept"):
        export_onnx(get_method("mosaic"), "s7", tmp_path / "model.onnx")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("file", "tolerance"), [(TFLITE, 1e-4), (TFLITE_FP16, 5e-3)], ids=["float32", "float16"])
def test_tflite_gives_the_networks_numbers(file: Path, tolerance: float) -> None:
    runtime = PhoneRuntime(file)
    levels = quantise(np.random.default_rng(0).uniform(size=PACKED_SHAPE).astype(np.float32), CAMERAS["mai22"])
    packed = levels.astype(np.float32)
    network = load_graph(get_method("learned_isp"), "mai22", None)

    with torch.inference_mode():
        expected = PhoneGraph(network)(torch.from_numpy(packed)).numpy()  # type: ignore[arg-type]

    assert (runtime.input_shape, runtime.output_shape) == (PACKED_SHAPE, RGB_SHAPE)
    assert np.abs(runtime(packed) - expected).max() < tolerance


@pytest.mark.parametrize("file", [TFLITE, TFLITE_FP16], ids=["float32", "float16"])
def test_tflite_is_small(file: Path) -> None:
    assert file.stat().st_size < SMALL


def test_float16_takes_less_room() -> None:
    assert TFLITE_FP16.stat().st_size < TFLITE.stat().st_size


def test_the_converter_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "litert_torch", None)

    with pytest.raises(BaselineError, match=r"bayerboard\[baselines,tflite\]"):
        write_tflite(load_graph(get_method("learned_isp"), "mai22", None), tmp_path / "m.tflite", half=False)  # type: ignore[arg-type]


def test_a_missing_tflite_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="There is no file"):
        PhoneRuntime(tmp_path / "none.tflite")


def test_mai22_score_of_a_recalled_row() -> None:
    # MiAlgo: 23.33 dB, 6.8 ms, 14.87; recalled, not verified
    assert mai22_score(23.33, 6.8) == pytest.approx(14.87, rel=0.01)


def test_mai21_score_of_recalled_rows() -> None:
    assert mai21_score(23.20, 61.0) == pytest.approx(25.98, abs=0.01)
    assert mai21_score(23.73, 90.8) == pytest.approx(25.91, abs=0.01)
