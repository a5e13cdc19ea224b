"""Predicting tiles with a network: in batches, which are halved where the memory does not suffice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from baselines.errors import BaselineError
from baselines.learning.checkpoints import check_made_for, load_checkpoint, load_model_state
from baselines.learning.devices import Speed, choose_device, name_of_device
from baselines.learning.network import count_macs, count_parameters
from baselines.tracks import TRACKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from baselines.learning.network import Network

RGB_LEVELS = 255
RAW_LEVELS = 1024


class NetworkPredictor:
    """A predictor of tiles of one track.

    Attributes
    ----------
    device, device_name
        ``cpu`` or ``gpu``, and its model.
    parameters, macs
        Of the network, the multiply-accumulates for one tile.
    """

    def __init__(self, network: Network, track: str, device: torch.device, speed: Speed) -> None:
        self.device: Literal["cpu", "gpu"] = "gpu" if device.type == "cuda" else "cpu"
        self.device_name = name_of_device(device)
        self.parameters = count_parameters(network)
        self.macs = 0
        self._track, self._speed, self._torch_device = TRACKS[track], speed, device
        self._truncates = network.truncates
        self._network = speed.prepare(network.to(device).eval())
        self._largest: int | None = None  # batch that fitted into the memory

    def __call__(self, tiles: NDArray[Any], places: NDArray[np.float32]) -> NDArray[Any]:
        """Predict a batch.

        Parameters
        ----------
        tiles
            uint8 N×H×W×3; on a track that reads RAW, uint16 N×H/2×W/2×4 in B, Gb, R, Gr order.
        places
            float32 N×4: each tile's place in its photo.

        Returns
        -------
        uint16 N×H/2×W/2×4 in R, G, G, B order, 0..1024; on a track that reads RAW, uint8 N×H×W×3.

        Raises
        ------
        BaselineError
            If the memory does not suffice for a single tile.
        """
        count = len(tiles)
        step = min(count, self._largest or count)
        try:
            parts = [self._predict(tiles[at : at + step], places[at : at + step]) for at in range(0, count, step)]
        except torch.cuda.OutOfMemoryError as error:
            if step == 1:
                raise BaselineError(
                    f"{self.device_name} has not the memory for one tile: free some, or use --device cpu."
                ) from error
            self._largest = step // 2
            torch.cuda.empty_cache()
            return self(tiles, places)
        return np.concatenate(parts)

    def _predict(self, tiles: NDArray[Any], places: NDArray[np.float32]) -> NDArray[Any]:
        with torch.inference_mode(), self._speed.context(self._torch_device):
            inputs = self._as_tensor(tiles)
            outputs = self._network(inputs, torch.from_numpy(places).to(self._torch_device)).float()
            scale = RGB_LEVELS if self._track.reads_raw else RAW_LEVELS
            levels = outputs.permute(0, 2, 3, 1) * scale
            levels = levels if self._truncates else levels.round()
            levels = levels.clamp(0, scale).to(torch.int32).cpu()
        values: NDArray[Any] = levels.numpy()
        return values.astype(np.uint8 if self._track.reads_raw else np.uint16)

    def _as_tensor(self, tiles: NDArray[Any]) -> Tensor:
        if self._track.reads_raw:
            tensor = torch.from_numpy(tiles.astype(np.int32)).to(self._torch_device).float()
        else:
            tensor = torch.from_numpy(np.require(tiles, requirements="W")).to(self._torch_device).float() / RGB_LEVELS
        tensor = tensor.permute(0, 3, 1, 2)
        layout = torch.channels_last if self._speed.channels_last else torch.contiguous_format
        return tensor.contiguous(memory_format=layout)


def load_network(
    method: str, track: str, build: Callable[[str], Network], weights: Path
) -> tuple[Network, Mapping[str, Any]]:
    """Make a network with trained weights; return it with the file's description of them.

    Raises
    ------
    BaselineError
        If the file is missing, damaged, or of another method or track.
    """
    checkpoint = load_checkpoint(weights)
    check_made_for(checkpoint, weights, method, track)
    network = build(track)
    load_model_state(network, checkpoint.tensors, weights)
    return network.eval(), checkpoint.metadata


def load_predictor(
    method: str, track: str, build: Callable[[str], Network], weights: Path, device: str, precision: str = "auto"
) -> NetworkPredictor:
    """Make a predictor of a track's tiles with trained weights, on a device."""
    chosen = choose_device(device)
    network, _ = load_network(method, track, build, weights)
    predictor = NetworkPredictor(network, track, chosen, Speed.of(chosen, precision))
    predictor.macs = count_macs(build, track)
    return predictor
