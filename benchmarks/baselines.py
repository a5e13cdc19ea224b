"""Measures the baselines and writes docs/baselines.md: ``python -m benchmarks.baselines``.

Scores are of the test sets of ``python -m baselines data make --track TRACK`` with its defaults, and are kept in
baselines/scores.json, which the commands and the site read. Times are kept in benchmarks/baselines_speed.json.
Figures that are not asked for anew (--methods, --no-scores, --no-speed) stay as they were measured.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from baselines.catalogue import METHODS, Method
from baselines.data.make import make_challenge_data
from baselines.data.pairs import find_pairs
from baselines.evaluate import evaluate
from baselines.expected import SCORES
from baselines.tracks import TRACKS
from benchmarks import baselines_page, baselines_speed

SPEEDS = Path(__file__).with_name("baselines_speed.json")
TARGET = Path(__file__).resolve().parent.parent / "docs" / "baselines.md"
SPLITS = {"s7": ("test", "test2"), "p20": ("test", "test2"), "mai22": ("test",)}


def read(path: Path) -> dict[str, Any]:
    """Return the earlier measurements."""
    stored: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return stored


def write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", "utf-8")


def score(method: Method, track: str, data: Path, splits: tuple[str, ...]) -> None:
    """Measure a method on a track, and keep the result at once."""
    for split in splits:
        print(f"{method.name} on {track}, {split} …", flush=True)
        pairs = find_pairs(data, TRACKS[track], split)
        evaluation = evaluate(method.name, track, data, split)
        stored = read(SCORES)
        kept = stored.setdefault(track, {"data": {}, "scores": {}})
        kept["data"][split] = {"sha256": pairs.sha256(), "images": len(pairs.pairs)}
        metrics = {name: value for name, value in evaluation.metrics.items() if name in ("psnr", "ssim")}
        kept["scores"].setdefault(method.name, {})[split] = metrics
        write(SCORES, stored)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with s7/, p20/ and mai22/; made anew where it lacks one")
    parser.add_argument("--methods", nargs="*", default=[method.name for method in METHODS])
    parser.add_argument("--splits", nargs="*", help="only these")
    parser.add_argument("--no-scores", action="store_true")
    parser.add_argument("--no-speed", action="store_true")
    options = parser.parse_args()
    chosen = [method for method in METHODS if method.name in options.methods]
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data or Path(scratch)
        for method in chosen if not options.no_scores else []:
            for track in method.tracks:
                if not (data / track).is_dir():
                    print(f"making the data of {track} …", flush=True)
                    make_challenge_data(data / track, track)
                splits = [split for split in SPLITS[track] if options.splits is None or split in options.splits]
                score(method, track, data / track, tuple(splits))
    if not options.no_speed:
        speeds = read(SPEEDS)
        for method in chosen:
            print(f"speed of {method.name} …", flush=True)
            speeds[method.name] = baselines_speed.measure(method)
        speeds["machine"] = {**baselines_speed.machine(), "load": round(os.getloadavg()[0], 1)}
        write(SPEEDS, speeds)
    TARGET.write_text(baselines_page.page(read(SCORES), read(SPEEDS)), "utf-8")
    print(f"Wrote {TARGET}.")


if __name__ == "__main__":
    main()
