from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from baselines.errors import BaselineError
from baselines.learning.checkpoints import load_checkpoint, save_checkpoint
from baselines.learning.devices import Speed, choose_device
from baselines.learning.network import Network
from baselines.learning.predictor import NetworkPredictor, load_predictor
from baselines.unet.model import build

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

CPU = torch.device("cpu")


class Tight(Network):
    """Passes half the red, green, green, blue of a tile on; its memory holds two tiles."""

    def __init__(self, room: int = 2) -> None:
        super().__init__()
        self.room, self.sizes = room, list[int]()

    def forward(self, rgb: Tensor, place: Tensor) -> Tensor:
        self.sizes.append(len(rgb))
        if len(rgb) > self.room:
            raise torch.cuda.OutOfMemoryError("no room")
        return rgb[:, [0, 1, 1, 2], ::2, ::2] / 2 + 0 * place.sum()


def predictor_of(network: Network, speed: Speed | None = None) -> NetworkPredictor:
    return NetworkPredictor(network, "s7", CPU, speed or Speed())


def tiles_of(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), np.uint8)


def test_a_batch_that_does_not_fit_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    network = Tight(room=2)
    predictor, tiles, places = predictor_of(network), tiles_of(8), np.zeros((8, 4), np.float32)

    halved = predictor(tiles, places)

    assert network.sizes == [8, 4, 2, 2, 2, 2]
    assert np.array_equal(halved, predictor_of(Tight(room=8))(tiles, places))


def test_the_smaller_batch_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    network = Tight(room=1)
    predictor = predictor_of(network)
    predictor(tiles_of(2), np.zeros((2, 4), np.float32))
    network.sizes.clear()

    predictor(tiles_of(2), np.zeros((2, 4), np.float32))

    assert network.sizes == [1, 1]


def test_no_room_for_a_single_tile_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)

    with pytest.raises(BaselineError, match="has not the memory for one tile: free some, or use --device cpu"):
        predictor_of(Tight(room=0))(tiles_of(2), np.zeros((2, 4), np.float32))


def test_levels_are_rounded_or_truncated_as_the_network_says() -> None:
    class Level(Network):
        def forward(self, rgb: Tensor, place: Tensor) -> Tensor:
            return torch.full((1, 4, 1, 1), 100.7 / 1024) + 0 * (rgb.sum() + place.sum())

    rounding, truncating = Level(), Level()
    truncating.truncates = True

    results = [predictor_of(network)(tiles_of(1), np.zeros((1, 4), np.float32)) for network in (rounding, truncating)]

    assert [int(result.max()) for result in results] == [101, 100]


@pytest.mark.parametrize("speed", [Speed("bfloat16"), Speed(channels_last=True)], ids=["bfloat16", "channels-last"])
def test_what_makes_it_faster_moves_no_level_far(speed: Speed) -> None:
    torch.manual_seed(0)
    network, tiles, places = build("s7"), tiles_of(1).repeat(2, axis=1).repeat(2, axis=2), np.zeros((1, 4), np.float32)

    plain, fast = (predictor_of(network, each)(tiles, places).astype(int) for each in (Speed(), speed))

    assert np.abs(plain - fast).max() <= 4  # of 1024: bfloat16 has 8 bits


def test_colours_stay_where_they_are() -> None:
    red = np.zeros((1, 8, 8, 3), np.uint8)
    red[..., 0] = 200

    packed = predictor_of(Tight())(red, np.zeros((1, 4), np.float32))

    assert packed[0, 0, 0].tolist() == [402, 0, 0, 0]


def test_auto_takes_what_there_is() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_said() -> None:
    with pytest.raises(BaselineError, match="No CUDA GPU is usable here: use --device cpu"):
        choose_device("cuda")


def test_missing_weights_are_said(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="There is no file"):
        load_predictor("unet", "s7", build, tmp_path / "none.safetensors", "cpu")


def test_weights_of_another_track_are_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "w.safetensors", {}, {"method": "unet", "track": "p20"})

    with pytest.raises(BaselineError, match="holds weights for track 'p20', not for 's7'"):
        load_predictor("unet", "s7", build, tmp_path / "w.safetensors", "cpu")


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "w.safetensors", {"x": torch.zeros(1)}, {"method": "unet", "track": "s7"})

    with pytest.raises(BaselineError, match="do not fit"):
        load_predictor("unet", "s7", build, tmp_path / "w.safetensors", "cpu")


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"\x80\x04pickle")

    with pytest.raises(BaselineError, match="is no readable safetensors file"):
        load_checkpoint(tmp_path / "w.safetensors")


def test_a_strangers_safetensors_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors")

    with pytest.raises(BaselineError, match="lacks the configuration"):
        load_checkpoint(tmp_path / "w.safetensors")
