"""Scores of the shipped methods on the synthetic test sets, as `python -m benchmarks.baselines` measured it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from baselines.catalogue import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORES = PACKAGE / "scores.json"


def expected_scores(method: str, track: str) -> Mapping[str, Mapping[str, float]]:
    """Return split → metric → mean; empty where nothing was measured.

    They are of synthetic data, and compare with no published figure.
    """
    if not SCORES.is_file():
        return {}
    stored: dict[str, Any] = json.loads(SCORES.read_text(encoding="utf-8"))
    scores: Mapping[str, Mapping[str, float]] = stored.get(track, {}).get("scores", {}).get(method, {})
    return scores
