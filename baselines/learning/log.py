"""A training's log: a CSV with a line for every step."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

HEADER = ("step", "loss", "learning_rate", "images_per_s")


class TrainingLog:
    """Writes the lines; those beyond the step that a resumed training goes on from are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        kept: list[list[str]] = []
        if path.exists() and step:
            with path.open(newline="", encoding="utf-8") as stream:
                kept = [row for row in list(csv.reader(stream))[1:] if int(row[0]) <= step]
        self._stream = path.open("w", newline="", encoding="utf-8", buffering=1)
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerows([HEADER, *kept])

    def __enter__(self) -> TrainingLog:
        return self

    def add(self, step: int, loss: float, learning_rate: float, images_per_s: float) -> None:
        """Write the line of a step."""
        self._writer.writerow([step, f"{loss:.6g}", f"{learning_rate:.6g}", f"{images_per_s:.4g}"])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
