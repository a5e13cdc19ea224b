"""Stores the result of an evaluation, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from bayerboard.challenges.models import Phase
from bayerboard.evaluations.models import Evaluation, ImageScores, Score, Status, finite
from bayerboard.leaderboards.models import Standing

if TYPE_CHECKING:
    from scoring.problems import SubmissionRejected
    from scoring.report import ScoreReport


def record_score(evaluation: Evaluation, report: ScoreReport, archive_sha256: str, provenance: dict[str, Any]) -> None:
    """Store metrics, per-image scores, fact sheet, standing and status in one transaction.

    Raises LeaseLost, with nothing written, when the evaluation is no longer this worker's.
    """
    with transaction.atomic():
        evaluation.end(
            Status.SCORED,
            metrics={key: finite(value) for key, value in report.metrics.items()},
            operands=report.operands,
            eligible=report.eligible,
            warnings=[warning.to_json() for warning in report.warnings],
            provenance=provenance,
            images_done=len(report.images),
            images_total=len(report.images),
        )
        Score.objects.record(evaluation, report.metrics)
        ImageScores.objects.create(
            evaluation=evaluation,
            names=[image.name for image in report.images],
            # Columns of a subset or by formula have no value for a single image.
            values={key: [finite(image.values[key]) for image in report.images] for key in report.images[0].values},
        )
        evaluation.submission.record_archive(archive_sha256, report.factsheet)
        _refresh_standing(evaluation)


def record_rejection(
    evaluation: Evaluation, rejection: SubmissionRejected, archive_sha256: str, provenance: dict[str, Any]
) -> None:
    """Store why the archive cannot be scored: its own fault, so that it costs no quota."""
    with transaction.atomic():
        evaluation.end(
            Status.REJECTED,
            errors=[error.to_json() for error in rejection.errors],
            warnings=[warning.to_json() for warning in rejection.warnings],
            provenance=provenance,
        )
        evaluation.submission.record_archive(archive_sha256, rejection.factsheet)
        _refresh_standing(evaluation)


def _refresh_standing(evaluation: Evaluation) -> None:
    """Choose the entry's standing again, if the phase's board is of the evaluation's scoring version.

    One that a rescore staged changes no board until the run is published, which waits for it and makes all standings
    anew.
    """
    entry = evaluation.submission.entry
    if Phase.objects.filter(pk=entry.phase_id, published_version=evaluation.scoring_version_id).exists():
        Standing.objects.refresh(entry)
