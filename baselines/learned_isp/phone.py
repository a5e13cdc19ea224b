"""The learned ISP as a phone runs it: TFLite files of one frame, NHWC, with the pre-processing inside.

The challenge asked for 1×544×960×4 → 1×1088×1920×3. The converter (litert-torch) pulls in gigabytes: it is an extra of
its own, and only writing the files needs it. Running them needs ai-edge-litert, which is small.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from baselines.errors import BaselineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from baselines.learned_isp.model import LearnedIsp

PACKED_SHAPE = (1, 544, 960, 4)
RGB_SHAPE = (1, 1088, 1920, 3)
FOLDER = Path(__file__).parent / "weights"
TFLITE = FOLDER / "model.tflite"
TFLITE_FP16 = FOLDER / "model-fp16.tflite"
# [R] in the facts this project was given: recalled, not read anywhere
MAI22_CONSTANT = 1.10e12
UNVERIFIED = "unverified: recalled constants, another device than the challenge's"


class PhoneGraph(nn.Module):
    """Packed levels 1×H×W×4 in B, Gb, R, Gr order → RGB 1×2H×2W×3 in 0..1, channels last as phones have them."""

    def __init__(self, network: LearnedIsp) -> None:
        super().__init__()
        self.network = network

    def forward(self, packed: Tensor) -> Tensor:
        """Develop."""
        rgb: Tensor = self.network(packed.permute(0, 3, 1, 2))
        return rgb.permute(0, 2, 3, 1)


def write_tflite(network: LearnedIsp, output: Path, *, half: bool) -> None:
    """Convert to TFLite with float32 weights, or with float16 ones, which take half the room.

    Raises
    ------
    BaselineError
        If litert-torch is not installed.
    """
    try:
        converter: Any = importlib.import_module("litert_torch")
    except ModuleNotFoundError as error:
        raise BaselineError(
            f"Writing TFLite needs {error.name}: pip install 'bayerboard[baselines,tflite]', some gigabytes, in an "
            "environment of its own."
        ) from error
    converted = converter.convert(PhoneGraph(network).eval(), (torch.zeros(PACKED_SHAPE),))
    output.parent.mkdir(parents=True, exist_ok=True)
    converted.export(str(output))
    if half:
        _store_half(output)


def _store_half(path: Path) -> None:
    """Store the weights of a TFLite file in float16; they are widened again where they are used."""
    quantizer: Any = importlib.import_module("ai_edge_quantizer.quantizer").Quantizer(str(path))
    recipe: Any = importlib.import_module("ai_edge_quantizer.qtyping")
    config = recipe.OpQuantizationConfig(
        weight_tensor_config=recipe.TensorQuantizationConfig(num_bits=16, dtype=recipe.TensorDataType.FLOAT),
        compute_precision=recipe.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    quantizer.update_quantization_recipe(
        regex=".*",
        operation_name=recipe.TFLOperationName.ALL_SUPPORTED,
        op_config=config,
        algorithm_key="float_casting",
    )
    quantizer.quantize().export_model(str(path), overwrite=True)


class PhoneRuntime:
    """A TFLite file, ready to run on this machine's CPU."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            litert: Any = importlib.import_module("ai_edge_litert.interpreter")
        except ModuleNotFoundError as error:
            raise BaselineError("Running TFLite needs ai-edge-litert: pip install 'bayerboard[export]'.") from error
        if not path.is_file():
            raise BaselineError(f"There is no file {path}.")
        self._interpreter = litert.Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        self.input_shape = tuple(int(side) for side in self._input["shape"])
        self.output_shape = tuple(int(side) for side in self._output["shape"])

    def __call__(self, packed: NDArray[np.float32]) -> NDArray[np.float32]:
        """Develop one frame of levels, float32 1×H×W×4 → 1×2H×2W×3 in 0..1."""
        self._interpreter.set_tensor(self._input["index"], packed)
        self._interpreter.invoke()
        result: NDArray[np.float32] = self._interpreter.get_tensor(self._output["index"])
        return result


def mai22_score(psnr_db: float, runtime_ms: float) -> float:
    """Return the score of the MAI 2022 challenge, 2^(2·PSNR) / (C·runtime): see `UNVERIFIED`."""
    return float(2 ** (2 * psnr_db) / (MAI22_CONSTANT * runtime_ms))


def mai21_score(psnr_db: float, runtime_ms: float) -> float:
    """Return the score of the MAI 2021 challenge, PSNR + α·(0.2 − clip(t)): see `UNVERIFIED`."""
    runtime_s = runtime_ms / 1000
    weight = 20 if runtime_s <= 0.2 else 0.5
    return psnr_db + weight * (0.2 - min(max(runtime_s, 0.03), 5))
