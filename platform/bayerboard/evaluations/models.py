"""Evaluations: the scoring of a submission, from the queue to the result, and the runs that score again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.dispatch import Signal
from django.utils import timezone

from bayerboard.challenges.models import ScoringVersion
from bayerboard.lib.jobs import JobKind, register
from bayerboard.lib.leases import LeasedJob, LeasedJobQuerySet
from bayerboard.lib.tasks import publish_on_commit
from bayerboard.lib.text import shown_duration
from bayerboard.teams.origin import Origin
from scoring.problems import problem
from scoring.shown import shown_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoring.protocol import Protocol

SCORE_TASK = "workers.score.score_next"
CLAIM_TRIES = 20

# Sent with `evaluation`, in the transaction that ends it; what a receiver raises undoes the end.
evaluation_ended = Signal()


class Status(models.TextChoices):
    """Where an evaluation stands. It moves in `bayerboard.lib.leases`, and by `mark_cancelled` here."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SCORED = "scored", "scored"
    REJECTED = "rejected", "rejected"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in {Status.QUEUED, Status.RUNNING}


class RescoreRun(models.Model):
    """A planned scoring of stored submissions under new scoring versions, published all at once."""

    class State(models.TextChoices):
        OPEN = "open", "scoring"
        PUBLISHED = "published", "published"

    target = models.CharField(max_length=200, help_text="CHALLENGE[/TRACK[/PHASE]]")
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"rescore {self.pk} of {self.target}"


class EvaluationQuerySet(LeasedJobQuerySet["Evaluation"]):
    """The queue."""

    def mark_cancelled(self) -> int:
        """Stop all of these; a worker that holds one finds its claim gone at its next sign of progress."""
        return self.update(status=Status.CANCELLED, finished_at=Now(), lease_until=None)

    def queued(self) -> EvaluationQuerySet:
        """Keep what waits for a worker."""
        return self.filter(status=Status.QUEUED)

    def of_participants_in_turn(self) -> EvaluationQuerySet:
        """Order what participants wait for: teams in turn, and a team's own first come first served."""
        return (
            self.queued()
            .filter(is_staged=False)
            .order_by(F("submission__entry__team__last_claimed_at").asc(nulls_first=True), "queued_at", "pk")
        )

    def of_rescores_in_order(self) -> EvaluationQuerySet:
        """Order what rescores staged; straight from the index, since it may be everything ever sent."""
        return self.queued().filter(is_staged=True).order_by("queued_at", "pk")

    def next_queued(self) -> tuple[int, int] | None:
        """Return the next one and its phase's time limit: a rescore's only while no participant waits."""
        for queue in (self.of_participants_in_turn(), self.of_rescores_in_order()):
            found = queue.values_list("pk", "submission__entry__phase__time_limit_s").first()
            if found is not None:
                return found
        return None

    def claim_next(self, worker: str) -> Evaluation | None:
        """Claim the next evaluation in fair order; None when nothing is queued."""
        for _ in range(CLAIM_TRIES):
            found = self.next_queued()
            if found is None:
                return None
            pk, time_limit_s = found
            with transaction.atomic():
                if not self.claim(pk, worker, time_limit_s):
                    continue  # another worker was faster; look again
                evaluation = self.select_related(
                    "submission__entry__team",
                    "submission__entry__phase__track",
                    "scoring_version__reference_set",
                ).get(pk=pk)
                if not evaluation.is_staged:
                    # A rescore of what a team once sent is not its turn.
                    team = evaluation.submission.entry.team
                    type(team).objects.filter(pk=team.pk).update(last_claimed_at=Now())
                return evaluation
        return None


class Evaluation(LeasedJob):
    """One scoring of one submission under one scoring version."""

    submission = models.ForeignKey("submissions.Submission", on_delete=models.PROTECT, related_name="evaluations")
    scoring_version = models.ForeignKey(ScoringVersion, on_delete=models.PROTECT, related_name="evaluations")
    is_staged = models.BooleanField(default=False, editable=False, help_text="Made by a rescore; yields to the others.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED, editable=False)
    # Unrounded, by metric; rounded only for show. None for what is not finite: its text is in `Score`.
    metrics = models.JSONField(default=dict, editable=False)
    # What its formulas took from the fact sheet, as it was when they were evaluated.
    operands = models.JSONField(default=dict, editable=False)
    # Whether what was declared keeps within the protocol's limits; None where it has none.
    eligible = models.BooleanField(null=True, editable=False)
    errors = models.JSONField(default=list, editable=False)
    warnings = models.JSONField(default=list, editable=False)
    provenance = models.JSONField(default=dict, editable=False)

    objects = models.Manager.from_queryset(EvaluationQuerySet)()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["submission", "scoring_version"], name="evaluation_once_per_version"),
        )
        # The status is a column of the index rather than its condition: as a parameter of a query, SQLite would not
        # know it to be the same.
        indexes = (
            models.Index(fields=["status", "queued_at", "id"], condition=Q(is_staged=False), name="evaluation_queue"),
            models.Index(fields=["status", "queued_at", "id"], condition=Q(is_staged=True), name="evaluation_staged"),
        )

    def __str__(self) -> str:
        return f"evaluation {self.pk} of submission {self.submission_id}"

    @property
    def is_final(self) -> bool:
        return Status(self.status).is_final

    def failure_text(self, code: str, reference: str = "") -> str:
        limit = shown_duration(self.submission.entry.phase.time_limit_s)
        found = problem(code, reference_number=reference, attempts=self.attempts, limit=limit)
        return f"{found.message} {found.hint}"

    def ended(self) -> None:
        evaluation_ended.send(Evaluation, evaluation=self)

    # --- What its team may do ---

    def cancel(self) -> bool:
        """Stop what is queued or running, staged twins included; False when it is over already.

        A worker that holds the claim finds it gone at its next sign of progress, and writes nothing.
        """
        with transaction.atomic():
            unfinished = Evaluation.objects.filter(submission=self.submission_id).unfinished()
            stopped = unfinished.filter(pk=self.pk).mark_cancelled()
            if stopped:
                unfinished.mark_cancelled()
            return bool(stopped)

    # --- What anybody may read ---

    def values(self, protocol: Protocol, *, as_shown: bool) -> dict[str, float]:
        """Return the values by which the evaluation is compared: as pages show them, or unrounded."""
        return shown_values(protocol, self.metrics, self.operands) if as_shown else self.metrics

    def image_rows(self) -> list[ImageRow]:
        """Return the per-image scores in the reference's order."""
        scores = ImageScores.objects.filter(evaluation=self).first()
        if scores is None:
            return []
        columns = [column.key for column in self.scoring_version.protocol.columns if column.key in scores.values]
        return [
            ImageRow(name, {key: scores.values[key][index] for key in columns})
            for index, name in enumerate(scores.names)
        ]


EVALUATIONS = register(
    JobKind(
        name="evaluations",
        model=Evaluation,
        task=SCORE_TASK,
        queue="score",
        label="submissions",
        groups={"participant": Q(is_staged=False), "rescore": Q(is_staged=True)},
        counted=~Q(submission__origin=Origin.TRIAL),
    )
)


@dataclass(frozen=True)
class ImageRow:
    """One line of the per-image table."""

    name: str
    values: dict[str, float | None]


class ImageScores(models.Model):
    """The per-image scores of an evaluation: one row, not one per image, and apart from what lists read."""

    evaluation = models.OneToOneField(Evaluation, on_delete=models.CASCADE, related_name="image_scores")
    names = models.JSONField()
    values = models.JSONField(help_text="Metric → values in the order of the names.")

    def __str__(self) -> str:
        return f"image scores of {self.evaluation}"


def finite(value: float) -> float | None:
    """Return the value; None for infinities and NaN, which neither JSON nor an order has a place for."""
    return value if math.isfinite(value) else None


class ScoreManager(models.Manager["Score"]):
    """Writes the rows of an evaluation, once."""

    def record(self, evaluation: Evaluation, metrics: Mapping[str, float]) -> None:
        """Store a row for each key. Call in the transaction that ends the evaluation."""
        self.bulk_create(
            Score(
                evaluation=evaluation,
                scoring_version_id=evaluation.scoring_version_id,
                key=key,
                value=finite(value),
                text="" if math.isfinite(value) else str(value),
            )
            for key, value in metrics.items()
        )

    def copy(self, source: int, evaluation: Evaluation) -> None:
        """Give the evaluation the scores of another, of which it is the copy under a scoring version of its own."""
        self.bulk_create(
            Score(
                evaluation=evaluation,
                scoring_version_id=evaluation.scoring_version_id,
                key=score.key,
                value=score.value,
                text=score.text,
            )
            for score in self.filter(evaluation=source)
        )


class Score(models.Model):
    """One metric or column of an evaluation, unrounded: what lists sort and filter by.

    The same values as in `Evaluation.metrics`, written with them and never changed. For the lists of those who run the
    site or the challenge alone: participants read scores through the visibility policy, and never these rows.
    """

    # Both are the first of an index below.
    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="scores", db_index=False)
    scoring_version = models.ForeignKey(ScoringVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=40)
    # None for what is not finite, which is never ranked; its text is `inf`, `-inf` or `nan`.
    value = models.FloatField(null=True)
    text = models.CharField(max_length=4, blank=True)

    objects = ScoreManager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["evaluation", "key"], name="score_unique"),)
        indexes = (models.Index(fields=["scoring_version", "key", "value", "evaluation"], name="score_in_order"),)

    def __str__(self) -> str:
        return f"{self.key} of evaluation {self.evaluation_id}"


def queue_evaluation(submission_id: int, version: ScoringVersion, *, is_staged: bool = False) -> Evaluation:
    """Queue one scoring, and wake a worker once the transaction is committed."""
    evaluation = Evaluation.objects.create(submission_id=submission_id, scoring_version=version, is_staged=is_staged)
    publish_on_commit(SCORE_TASK)
    return evaluation
