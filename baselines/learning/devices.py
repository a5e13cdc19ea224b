"""Where a network runs: the device, its name, and options that make it faster there."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import torch

from baselines.equipment import name_of_processor
from baselines.errors import BaselineError

if TYPE_CHECKING:
    from torch import nn

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def choose_device(name: str) -> torch.device:
    """Return the device of a name: ``auto`` is a GPU where there is one.

    Raises
    ------
    BaselineError
        If there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise BaselineError("No CUDA GPU is usable here: use --device cpu, or --device auto to take what there is.")
    if name not in {"cpu", "cuda"}:
        raise BaselineError(f"There is no device called {name!r}. Known: auto, cpu, cuda.")
    return torch.device(name)


def name_of_device(device: torch.device) -> str:
    """Return the name of the GPU's or the processor's model."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return name_of_processor()


def use_threads(count: int | None) -> None:
    """Compute with so many threads of the CPU; None leaves PyTorch its own choice."""
    if count is not None:
        if count < 1:
            raise BaselineError(f"At least one thread computes, not {count}.")
        torch.set_num_threads(count)


@dataclass(frozen=True)
class Speed:
    """Options that make a network faster than plain float32, eager and channels-first.

    Attributes
    ----------
    precision
        ``bfloat16`` computes convolutions in it (autocast); weights and losses stay float32.
    channels_last
        Whether images lie pixel by pixel in memory, which cuDNN and oneDNN prefer.
    compiled
        Whether torch.compile makes a graph of the network, which takes a compiler and a minute.
    """

    precision: Precision = "float32"
    channels_last: bool = False
    compiled: bool = False

    @classmethod
    def of(cls, device: torch.device, precision: str = "auto", *, compiled: bool = False) -> Speed:
        """Return the options for a device: bfloat16 and channels-last on a GPU, the plain numbers on a CPU.

        Raises
        ------
        BaselineError
            If there is no such precision, or the GPU has no bfloat16.
        """
        if precision not in {"auto", *PRECISIONS}:
            raise BaselineError(f"There is no precision {precision!r}. Known: auto, {', '.join(PRECISIONS)}.")
        on_gpu = device.type == "cuda"
        able = not on_gpu or torch.cuda.is_bf16_supported(including_emulation=False)
        if precision == "bfloat16" and not able:
            raise BaselineError(f"{name_of_device(device)} has no bfloat16: use --precision float32.")
        if precision == "auto":
            precision = "bfloat16" if on_gpu and able else "float32"
        return cls(cast("Precision", precision), channels_last=on_gpu, compiled=compiled)

    def prepare(self, model: nn.Module) -> nn.Module:
        """Return the network as it is to be called; its parameters stay the same objects."""
        if self.channels_last:
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.compiled:
            return cast("nn.Module", torch.compile(model))
        return model

    def context(self, device: torch.device) -> AbstractContextManager[object]:
        """Return the context manager of a forward pass."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(device.type, dtype=torch.bfloat16)
