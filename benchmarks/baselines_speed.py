"""How fast the baselines predict and learn on this machine's CPU, each way against plain eager float32."""

from __future__ import annotations

import importlib
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from baselines.equipment import name_of_processor
from baselines.learned_isp.phone import PACKED_SHAPE, TFLITE, TFLITE_FP16, PhoneRuntime
from baselines.learning.devices import Speed
from baselines.learning.export import INPUTS, export_onnx, load_graph
from baselines.learning.network import count_macs, count_parameters, example_inputs, receptive_field
from baselines.learning.training import Batch
from benchmarks.timing import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from baselines.catalogue import Method
    from baselines.learning.network import Network

REPEATS = 5
PHONE_REPEATS = 10
CPU = torch.device("cpu")


def machine() -> dict[str, Any]:
    return {"cpu": name_of_processor(), "cores": len(os.sched_getaffinity(0)), "torch": torch.__version__}


def measure(method: Method) -> dict[str, Any]:
    """Return seconds per tile of every way, and the network's figures."""
    track = method.tracks[0]
    network = load_graph(method, track, None)
    facts: dict[str, Any] = {"track": track, "threads": torch.get_num_threads()}
    if method.trained:
        build = importlib.import_module(method.module).build
        facts |= {"parameters": count_parameters(network), "macs": count_macs(build, track)}
        facts["receptive_field"] = receptive_field(network, track)
    facts["predict_s"] = _predicting(method, track, network)
    if method.trained:
        facts["train_s_per_crop"] = _training(method, track)
    if method.name == "learned_isp" and TFLITE.exists():
        facts["phone"] = [_phone(path, threads) for path in (TFLITE, TFLITE_FP16) for threads in (1, 2)]
    return facts


def _predicting(method: Method, track: str, network: Network) -> dict[str, float]:
    tiles, place = example_inputs(track)
    ways: dict[str, Callable[[], object]] = {
        "eager float32": lambda: _run(network, Speed(), tiles, place),
    }
    if method.trained:
        ways["channels-last"] = lambda: _run(network, Speed(channels_last=True), tiles, place)
        ways["bfloat16"] = lambda: _run(network, Speed("bfloat16"), tiles, place)
        ways["one thread"] = lambda: _on_one_thread(lambda: _run(network, Speed(), tiles, place))
        if shutil.which("g++"):
            compiled = torch.compile(load_graph(method, track, None))
            ways["torch.compile"] = lambda: _call(compiled, tiles, place)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(method, track, path)
        runtime: Any = importlib.import_module("onnxruntime")
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        given = dict(zip(INPUTS, (tiles.numpy(), place.numpy()), strict=True))
        feeds = {item.name: given[item.name] for item in session.get_inputs()}
        ways["onnxruntime"] = lambda: session.run(None, feeds)
        return in_turns(ways, REPEATS)


def _training(method: Method, track: str) -> dict[str, float]:
    recipe = importlib.import_module(f"baselines.{method.name}.train").RECIPE
    settings = recipe.settings
    tiles, place = example_inputs(track, settings.batch, size=settings.crop)
    packed = torch.full((settings.batch, 4, settings.crop // 2, settings.crop // 2), 300.0)
    rgb = tiles if tiles.shape[1] == 3 else torch.full((settings.batch, 3, settings.crop, settings.crop), 0.5)
    batch = Batch(rgb, packed, place)
    ways: dict[str, Callable[[], object]] = {}
    for name, speed in (("eager float32", Speed()), ("channels-last", Speed(channels_last=True))):
        ways[name] = _step(recipe, speed.prepare(recipe.build(track)), batch)
    return {name: seconds / settings.batch for name, seconds in in_turns(ways, REPEATS).items()}


def _step(recipe: Any, network: Any, batch: Batch) -> Callable[[], object]:
    optimizer = torch.optim.Adam(network.parameters())

    def run() -> None:
        optimizer.zero_grad()
        recipe.loss(network, batch).backward()
        optimizer.step()

    return run


def _run(network: Network, speed: Speed, tiles: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    layout = torch.channels_last if speed.channels_last else torch.contiguous_format
    network.to(memory_format=layout)  # type: ignore[call-overload]
    with speed.context(CPU):
        return _call(network, tiles.contiguous(memory_format=layout), place)


def _call(network: Any, tiles: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = network(tiles, place)
    return result


def _on_one_thread(function: Callable[[], object]) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    function()
    torch.set_num_threads(threads)


def _phone(path: Path, threads: int) -> dict[str, Any]:
    runtime = PhoneRuntime(path, threads)
    frame = np.random.default_rng(0).uniform(0, 4095, PACKED_SHAPE).astype(np.float32)
    runtime(frame)
    times = []
    for _ in range(PHONE_REPEATS):
        began = time.perf_counter()
        runtime(frame)
        times.append(1000 * (time.perf_counter() - began))
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "threads": threads,
        "median_ms": statistics.median(times),
        "least_ms": min(times),
        "most_ms": max(times),
    }
