"""The page docs/baselines.md, from the measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baselines.catalogue import METHODS
from baselines.learned_isp.phone import UNVERIFIED, mai22_score

if TYPE_CHECKING:
    from collections.abc import Sequence

# The organisers' slides and the SSDNet paper: real data, other than ours.
PUBLISHED = {("upi", "s7"): "26.90 / .78", ("unet", "s7"): "26.30 / .77", ("unet", "p20"): "30.01 / .80"}
TITLES = {"s7": "Samsung S7 (demo)", "p20": "Huawei P20 (demo)", "mai22": "Learned ISP (demo)"}

INTRODUCTION = """\
# Baselines

Methods that run: each is a folder below `baselines/` with `model.py`, `train.py` where it learns, and `CARD.md`.
The numbers here are written by `python -m benchmarks.baselines`; none is typed by hand but those under *published*.

```sh
python -m baselines data make --out data/s7 --track s7            # synthetic pairs, AIM 2022's layout
python -m baselines data inspect --data data/s7 --track s7 --sheet sheet.png
python -m baselines train unet --data data/s7 --track s7 --out run # log.csv, checkpoint, weights; --resume goes on
python -m baselines evaluate unet --track s7 --data data/s7 --split test --weights run/weights.safetensors
python -m baselines predict unet --track s7 --input data/s7/val_rgb --output submission.zip
python -m baselines export unet --track s7 --format onnx --output unet.onnx
python -m baselines info mbispld --track s7                        # size, reach, training, atoms
python -m baselines denoise --track s7 --data data/s7              # what RAW that MBISPLD generates is good for
```

PyTorch comes with `pip install 'bayerboard[baselines]'`; `mosaic` and `upi` do without. Real data are read in the
challenges' own layouts: AIM 2022's `train/`, `val_rgb/`, `val_raw/`, and UltraISP's `mediatek_raw/` and `fujifilm/`.

A training writes one checkpoint with all its state. The crops of a step depend on seed and step alone: six steps are
three, a stop, and three more, to the last bit on a CPU. Batches are halved where a GPU's memory does not suffice.
On a GPU convolutions run in bfloat16 (autocast) and channels-last; losses agree with float32 within 2 %, which a test
holds on the CPU. No GPU was there when this was written: **no figure here was taken on one**.

Tiles of AIM 2022 are named `{photo}_{tile}` in a grid of 6×8: a method that knows the lens takes the tile's place from
the name. All methods work tile by tile. A set whose numbers stay below 6 is taken for the demo's grid of 2×3.
"""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    aligned = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, aligned, *rows])


def page(scores: dict[str, Any], speeds: dict[str, Any]) -> str:
    """Return the page."""
    parts = [INTRODUCTION, "## Scores on synthetic data", _about()]
    parts += [_scores(track, scores[track]) for track in TITLES if track in scores]
    if speeds:
        at = speeds["machine"]
        parts += [
            "## Size and speed",
            f"On {at['cpu']}, {at['cores']} cores, PyTorch {at['torch']}, load {at['load']} when it ended; medians. "
            "In brackets how many times as fast as plain eager float32.",
            _sizes(speeds),
            _predicting(speeds),
            _learning(speeds),
            _phone(scores, speeds),
        ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _about() -> str:
    return (
        "The test sets are those of `data make` with its defaults; `test2` is taken by a second camera, which no "
        "method has seen. `upi` knows the very formulas that made the data, and the camera's matrix: no real phone "
        "is so kind. The published column is of the challenge's real data (organisers' slides), and compares with "
        "nothing else here."
    )


def _scores(track: str, measured: dict[str, Any]) -> str:
    splits = sorted(measured["data"])
    rows = []
    for method in METHODS:
        found = measured["scores"].get(method.name)
        if found is not None:
            cells = [_cell(found.get(split)) for split in splits]
            rows.append([method.name, *cells, PUBLISHED.get((method.name, track), "–")])
    sets = "; ".join(
        f"{split}: {measured['data'][split]['images']} tiles, sha256 {measured['data'][split]['sha256'][:12]}…"
        for split in splits
    )
    head = ["method", *(f"{split}: PSNR dB / SSIM" for split in splits), "published, real data"]
    return f"### {TITLES[track]}\n\n{table(head, rows)}\n\n{sets}."


def _cell(metrics: dict[str, float] | None) -> str:
    return "–" if metrics is None else f"{metrics['psnr']:.2f} / {metrics['ssim']:.4f}"


def _sizes(speeds: dict[str, Any]) -> str:
    rows = []
    for method in METHODS:
        facts = speeds.get(method.name, {})
        if "parameters" in facts:
            reach = facts["receptive_field"]
            rows.append(
                [
                    method.name,
                    f"{facts['parameters']:,}",
                    f"{facts['macs'] / 1e9:.2f} G",
                    "whole tile" if reach < 0 else f"{reach} px",
                ]
            )
    return table(["method", "parameters", "MACs per tile", "receptive field"], rows)


def _predicting(speeds: dict[str, Any]) -> str:
    return "### Predicting\n\nOne tile at a time, tiles per second.\n\n" + _ways(speeds, "predict_s")


def _learning(speeds: dict[str, Any]) -> str:
    return "### Training\n\nA step of the method's own batch and crop, crops per second.\n\n" + _ways(
        speeds, "train_s_per_crop"
    )


def _ways(speeds: dict[str, Any], key: str) -> str:
    measured = {method.name: speeds[method.name][key] for method in METHODS if key in speeds.get(method.name, {})}
    ways = list(dict.fromkeys(way for times in measured.values() for way in times))
    rows = []
    for name, times in measured.items():
        plain = times["eager float32"]
        cells = [f"{1 / times[way]:.2f} ({plain / times[way]:.2f})" if way in times else "–" for way in ways]
        rows.append([name, *cells])
    return table(["method", *ways], rows)


def _phone(scores: dict[str, Any], speeds: dict[str, Any]) -> str:
    runs = speeds.get("learned_isp", {}).get("phone")
    if not runs:
        return ""
    psnr = scores.get("mai22", {}).get("scores", {}).get("learned_isp", {}).get("test", {}).get("psnr")
    rows = [
        [
            f"`{run['file']}`, {run['threads']} threads",
            f"{run['bytes'] / 1000:.0f} kB",
            f"{run['median_ms']:.1f}",
            f"{run['least_ms']:.1f} – {run['most_ms']:.1f}",
            "–" if psnr is None else f"{mai22_score(psnr, run['median_ms']):.4f}",
        ]
        for run in runs
    ]
    head = ["file", "size", "median ms", "least – most", "MAI 2022 score"]
    return (
        "### TFLite\n\n1×544×960×4 → 1×1088×1920×3 with ai-edge-litert (XNNPACK) on this CPU, which is no phone. The "
        f"score is 2^(2·PSNR) / (1.10e12 · ms), {UNVERIFIED}.\n\n{table(head, rows)}"
    )
