"""Score a baseline on a split whose targets are there, exactly as a submission is scored."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.data.pairs import find_folders
from baselines.predict import PredictionReport, predict
from baselines.tracks import TRACKS
from scoring.engine import score_archive
from scoring.protocol import load_protocol
from scoring.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Evaluation:
    """The scores of a method.

    Attributes
    ----------
    method, track, split
        The method, and the data that it ran on.
    metrics
        Means over the images, by the track's protocol.
    prediction
        How the prediction went.
    """

    method: str
    track: str
    split: str
    metrics: Mapping[str, float]
    prediction: PredictionReport

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "metrics": dict(self.metrics)}


def evaluate(
    method: str,
    track: str,
    data: Path,
    split: str,
    *,
    weights: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Predict a split of a data set, and score the submission with the track's protocol.

    Parameters
    ----------
    data, split
        A folder as `baselines.data.make` writes it, and the name of one of its splits.

    The others are those of `baselines.predict.predict`, and so are the errors.
    """
    chosen = TRACKS[track]
    rgb, raw = find_folders(data, chosen, split)
    inputs, targets = (raw, rgb) if chosen.reads_raw else (rgb, raw)
    protocol = load_protocol(chosen.protocol)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "submission.zip"
        report = predict(
            method,
            track,
            inputs,
            archive,
            on_progress,
            weights=weights,
            device=device,
            precision=precision,
            batch=batch,
        )
        with Reference.open(targets, protocol) as reference:
            scored = score_archive(archive, reference, protocol)
    return Evaluation(method, track, split, scored.metrics, report)
