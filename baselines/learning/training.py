"""The training loop that the methods share: seeded, logged, and resumable to the same result.

All of a training's state lies in one checkpoint (weights, optimizer, step, configuration), and the crops of a step
depend on its number alone: six steps are three steps, a stop, and three more, to the last bit on a CPU.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from baselines.data.batches import CropBatches
from baselines.errors import BaselineError
from baselines.learning.checkpoints import (
    MODEL_PREFIX,
    check_made_for,
    load_checkpoint,
    load_model_state,
    load_optimizer,
    model_tensors,
    optimizer_tensors,
    save_checkpoint,
)
from baselines.learning.log import TrainingLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import Tensor

    from baselines.data.batches import Crops
    from baselines.data.pairs import PairSet
    from baselines.learning.devices import Speed
    from baselines.learning.network import Network

CHECKPOINT = "checkpoint.safetensors"
WEIGHTS = "weights.safetensors"
LOG = "log.csv"
GPU_LOADERS = 8  # processes that decode while the GPU computes; a CPU has better things to do
LAST_RATE = 0.02  # of the first, where the rate falls along a cosine


@dataclass(frozen=True)
class Settings:
    """The configuration of a training; stored in its checkpoint, from which `--resume` goes on.

    Attributes
    ----------
    steps, batch, crop
        Steps, crops of a batch, and side of a crop in RGB pixels.
    learning_rate, weight_decay, cosine
        Of Adam, and whether the rate falls along a cosine.
    flips
        Whether half of the crops are mirrored.
    seed
        Of the first weights and the crops.
    """

    steps: int
    batch: int
    crop: int
    learning_rate: float
    weight_decay: float = 0.0
    cosine: bool = False
    flips: bool = False
    seed: int = 0

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        if not self.cosine:
            return self.learning_rate
        fall = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * (LAST_RATE + (1 - LAST_RATE) * fall)


@dataclass(frozen=True)
class Batch:
    """A batch on the device: `rgb` N×3×H×W in 0..1, `raw` N×4×H/2×W/2 in levels, `place` N×4."""

    rgb: Tensor
    raw: Tensor
    place: Tensor

    def part(self, start: int, stop: int) -> Batch:
        """Return some of the crops."""
        return Batch(self.rgb[start:stop], self.raw[start:stop], self.place[start:stop])


@dataclass(frozen=True)
class Recipe:
    """How a method is trained.

    Attributes
    ----------
    method
        Its name.
    build
        Makes its network for a track.
    loss
        Of a network, as it is to be called, on a batch: a scalar.
    settings
        The default settings.
    """

    method: str
    build: Callable[[str], Network]
    loss: Callable[[Network, Batch], Tensor]
    settings: Settings


class Training:
    """A training on its way."""

    def __init__(self, recipe: Recipe, pairs: PairSet, settings: Settings, device: torch.device, speed: Speed) -> None:
        torch.manual_seed(settings.seed)
        self.recipe, self.pairs, self.settings = recipe, pairs, settings
        self.device, self.speed = device, speed
        self.step = 0
        self._part = settings.batch  # crops that are computed at a time
        self.network = recipe.build(pairs.track.name).to(device)
        self._called = speed.prepare(self.network)
        self._optimizer = torch.optim.Adam(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._batches = CropBatches(
            pairs, batch=settings.batch, crop=settings.crop, flips=settings.flips, seed=settings.seed
        )

    def run(self, until: int, log: TrainingLog, on_step: Callable[[int, int], None] | None = None) -> None:
        """Train up to a step, a line of the log for each.

        Raises
        ------
        BaselineError
            If the loss is no longer a finite number.
        """
        began = time.perf_counter()
        for batch in self._load(until):
            loss = self._learn(batch)
            self.step += 1
            now = time.perf_counter()
            log.add(self.step, loss, self.settings.rate(self.step - 1), self.settings.batch / (now - began))
            began = now
            if on_step is not None:
                on_step(self.step, self.settings.steps)

    def save(self, path: Path) -> None:
        """Write all that is needed to go on."""
        weights = {f"{MODEL_PREFIX}{name}": value for name, value in self.network.state_dict().items()}
        save_checkpoint(path, weights | optimizer_tensors(self._optimizer), self.describe())

    def restore(self, path: Path) -> None:
        """Go on where a checkpoint of the same training stopped.

        Raises
        ------
        BaselineError
            If the checkpoint is of another method, track, data set or configuration.
        """
        checkpoint = load_checkpoint(path)
        check_made_for(checkpoint, path, self.recipe.method, self.pairs.track.name)
        here = self.describe()
        for key in ("settings", "data_sha256"):
            if checkpoint.metadata.get(key) != here[key]:
                raise BaselineError(f"{path} is of a training with other {key}: {checkpoint.metadata.get(key)}.")
        load_model_state(self.network, model_tensors(checkpoint.tensors), path)
        load_optimizer(self._optimizer, checkpoint.tensors)
        self.step = int(checkpoint.metadata["step"])

    def start_from(self, path: Path) -> None:
        """Take the first weights from a file of the same method, of whichever track."""
        checkpoint = load_checkpoint(path)
        check_made_for(checkpoint, path, self.recipe.method, checkpoint.metadata.get("track", ""))
        load_model_state(self.network, checkpoint.tensors, path)

    def describe(self) -> dict[str, Any]:
        """Return the checkpoint's description of itself."""
        return {
            "method": self.recipe.method,
            "track": self.pairs.track.name,
            "settings": asdict(self.settings),
            "step": self.step,
            "data_sha256": self._data_sha256(),
            "pairs": len(self.pairs.pairs),
            "torch": torch.__version__,
        }

    def _data_sha256(self) -> str:
        if not hasattr(self, "_data_hash"):
            self._data_hash = self.pairs.sha256()
        return self._data_hash

    def _learn(self, batch: Batch) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.rate(self.step)
        while True:
            try:
                value = self._accumulate(batch)
                break
            except torch.cuda.OutOfMemoryError as error:
                if self._part == 1:
                    raise BaselineError("The GPU has not the memory for one crop: use a smaller --crop.") from error
                # The gradient of the batch is the mean of its parts': only rounding changes.
                self._part = (self._part + 1) // 2
                torch.cuda.empty_cache()
        if not math.isfinite(value):
            raise BaselineError(f"The loss of step {self.step + 1} is {value}: use a smaller learning rate.")
        self._optimizer.step()
        return value

    def _accumulate(self, batch: Batch) -> float:
        """Compute the gradient of a batch, in parts that fit into the memory; return the loss."""
        self._optimizer.zero_grad()
        total, count = 0.0, len(batch.rgb)
        for start in range(0, count, self._part):
            part = batch.part(start, start + self._part)
            with self.speed.context(self.device):
                loss = self.recipe.loss(self._called, part)  # type: ignore[arg-type]  # a compiled network is one too
            loss = loss * (len(part.rgb) / count)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total

    def _load(self, until: int) -> Iterator[Batch]:
        """Yield the batches from the next step on, decoded by other processes where a GPU waits for them."""
        on_gpu = self.device.type == "cuda"
        loader: DataLoader[Crops] = DataLoader(
            self._batches,  # type: ignore[arg-type]  # anything with __getitem__ will do
            sampler=range(self.step, until),
            batch_size=None,
            num_workers=GPU_LOADERS if on_gpu else 0,
            collate_fn=_as_tensors,  # type: ignore[arg-type]  # there is no list: batches come whole
            pin_memory=on_gpu,
        )
        for rgb, raw, place in loader:
            yield Batch(
                rgb.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float() / 255,
                raw.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float(),
                place.to(self.device, non_blocking=True),
            )


def _as_tensors(crops: Crops) -> tuple[Tensor, Tensor, Tensor]:
    # int32: torch knows little arithmetic on uint16
    return (
        torch.from_numpy(crops.rgb),
        torch.from_numpy(crops.raw.astype(np.int32)),
        torch.from_numpy(crops.places),
    )


def train(
    training: Training,
    out: Path,
    *,
    resume: bool = False,
    save_every: int = 200,
    until: int | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> None:
    """Train to the end, writing ``checkpoint.safetensors`` and ``log.csv`` into a folder now and then.

    Parameters
    ----------
    training
        A new training.
    out
        The folder. A checkpoint that lies there is gone on with when `resume` is set, and refused otherwise.
    save_every
        Steps between two checkpoints. One is written when the training is interrupted, too.
    until
        Step to stop at; by default the last.
    on_step
        Called with (step, steps) after every step.

    Raises
    ------
    BaselineError
        If the folder holds another training, or none to go on with.
    """
    checkpoint = out / CHECKPOINT
    if resume and not checkpoint.is_file():
        raise BaselineError(f"{out} has no {CHECKPOINT} to go on with: leave out --resume.")
    if not resume and checkpoint.is_file():
        raise BaselineError(f"{out} has a training in it already: use --resume to go on, or another folder.")
    out.mkdir(parents=True, exist_ok=True)
    if resume:
        training.restore(checkpoint)
    last = training.settings.steps if until is None else min(until, training.settings.steps)
    with TrainingLog(out / LOG, training.step) as log:
        try:
            while training.step < last:
                training.run(min(last, training.step + save_every), log, on_step)
                training.save(checkpoint)
        except KeyboardInterrupt:
            training.save(checkpoint)
            raise


def write_weights(training: Training, path: Path, **facts: Any) -> None:
    """Write a trained network alone, in float16, with its configuration: half the size, and no visible change."""
    weights = {name: value.half() for name, value in training.network.state_dict().items()}
    save_checkpoint(path, weights, json.loads(json.dumps(training.describe() | facts)))
