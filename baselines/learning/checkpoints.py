"""Checkpoints in safetensors: tensors, and their configuration as JSON in the file's own metadata.

Safetensors holds no code: a weights file from a stranger can be wrong, but it cannot run anything.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from baselines.errors import BaselineError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch
    from torch import Tensor, nn

METADATA_KEY = "bayerboard"
MODEL_PREFIX = "model."
OPTIMIZER_PREFIX = "optimizer."


@dataclass(frozen=True)
class Checkpoint:
    """The content of a file.

    Attributes
    ----------
    tensors
        By name.
    metadata
        Plain values: the method, its track and configuration, where it comes from.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any]


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write a checkpoint that appears under its name only when it is whole."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(ready, unfinished, {METADATA_KEY: json.dumps(metadata, sort_keys=True)})
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises
    ------
    BaselineError
        If it is missing, damaged, or none of ours.
    """
    if not path.is_file():
        raise BaselineError(f"There is no file {path}.")
    try:
        with safe_open(path, framework="pt", device="cpu") as opened:
            described = (opened.metadata() or {}).get(METADATA_KEY)
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
        metadata = None if described is None else json.loads(described)
    except (SafetensorError, OSError, ValueError) as error:
        raise BaselineError(f"{path} is no readable safetensors file: {error}.") from error
    if not isinstance(metadata, dict):
        raise BaselineError(f"{path} was not written by `python -m baselines train`: it lacks the configuration.")
    return Checkpoint(tensors, metadata)


def check_made_for(checkpoint: Checkpoint, path: Path, method: str, track: str) -> None:
    """Refuse weights of another method or another track."""
    for key, wanted in (("method", method), ("track", track)):
        found = checkpoint.metadata.get(key)
        if found != wanted:
            raise BaselineError(f"{path} holds weights for {key} {found!r}, not for {wanted!r}.")


def load_model_state(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load weights into a model, in the model's own precision.

    Raises
    ------
    BaselineError
        If names or shapes differ from the model's.
    """
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise BaselineError(f"The weights of {path} do not fit: {error}.") from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimizer's state as named tensors."""
    state = optimizer.state_dict()["state"]
    return {
        f"{OPTIMIZER_PREFIX}{number}.{key}": value for number, values in state.items() for key, value in values.items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Load the tensors of `optimizer_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(OPTIMIZER_PREFIX):
            number, key = name.removeprefix(OPTIMIZER_PREFIX).split(".")
            state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def model_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the model's part of a training's checkpoint."""
    return {
        name.removeprefix(MODEL_PREFIX): tensor for name, tensor in tensors.items() if name.startswith(MODEL_PREFIX)
    }
