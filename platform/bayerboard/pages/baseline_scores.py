"""Scores of a track's baselines, on the boards that the reader may see."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.expected import expected_scores
from bayerboard.leaderboards.board import visible_standings

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from baselines.catalogue import Method
    from bayerboard.accounts.models import User
    from bayerboard.challenges.models import Phase, Track
    from bayerboard.runs.models import Measurement
    from scoring.protocol import Column, Protocol


@dataclass(frozen=True)
class BaselineScore:
    """A baseline's standing in a phase."""

    phase: Phase
    values: tuple[tuple[Column, float | None], ...]
    measurement: Measurement | None


def expected_values(method: Method, protocol: Protocol) -> list[tuple[Column, float]]:
    """Return what the method scored on our own synthetic test set; empty where nothing was measured."""
    track = dict(zip(method.protocols, method.tracks, strict=True)).get(protocol.name, "")
    scores = expected_scores(method.name, track).get("test", {})
    return [(column, scores[column.key]) for column in protocol.columns if column.key in scores]


def scores_by_method(track: Track, user: User | AnonymousUser) -> dict[str, list[BaselineScore]]:
    """Return the standings of the track's baselines by the method's name, in the order of the phases."""
    scores = defaultdict(list)
    for phase in track.phases.select_related("published_version").defer("manifest_data"):
        visible, seen = visible_standings(phase, user)
        standings = visible.filter(evaluation__submission__baseline_run__isnull=False)
        columns = set(seen.columns(track.protocol))
        for standing in standings.select_related(
            "evaluation__submission__baseline_run", "evaluation__submission__measurement"
        ):
            submission = standing.evaluation.submission
            # A dash where this phase shows no value: the table has one line of headings for all phases.
            values = tuple(
                (column, standing.metrics.get(column.key) if column in columns else None)
                for column in track.protocol.columns
            )
            score = BaselineScore(phase, values, getattr(submission, "measurement", None))
            scores[submission.baseline_run.method].append(score)
    return dict(scores)
