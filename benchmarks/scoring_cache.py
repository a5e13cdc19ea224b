"""Scoring one submission after the other against the same references: ``python -m benchmarks.scoring_cache``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.data import make_test_set
from benchmarks.timing import in_turns
from scoring.cache import ReferenceCache
from scoring.engine import score_archive
from scoring.protocol import load_protocol
from scoring.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES = 240


def report(*, repeats: int = 5) -> str:
    protocol = load_protocol("aim22-s7")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    with tempfile.TemporaryDirectory() as name:
        folder, packed, submission = make_test_set(Path(name), IMAGES, pack_references=True)
        cache = ReferenceCache(Path(name) / "cache", 1 << 30)

        def scoring(path: Path, kept: ReferenceCache | None) -> Callable[[], object]:
            def score() -> object:
                with Reference.open(path, protocol) as reference:
                    return score_archive(submission, reference, protocol, cache=kept)

            return score

        seconds = in_turns(
            {
                "references in a zip": scoring(packed, None),
                "references in a zip, cached": scoring(packed, cache),
                "references in a folder": scoring(folder, None),
            },
            repeats,
        )
    os.sched_setaffinity(0, cores)
    slowest = max(seconds.values())
    lines = [f"| {IMAGES} images, one core | median | gain |", "| --- | ---: | ---: |"]
    lines += [f"| {label} | {taken:.2f} s | {slowest / taken:.2f} |" for label, taken in seconds.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
