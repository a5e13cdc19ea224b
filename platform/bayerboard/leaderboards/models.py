"""Standings: which evaluation stands for a team on a board."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from bayerboard.challenges.models import Phase, ScoringVersion, Selection
from bayerboard.challenges.roles import Role
from bayerboard.challenges.visibility import visibility
from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.submissions.models import Entry
from bayerboard.teams.origin import ON_BOARDS
from scoring.ranking import competition_ranks
from scoring.shown import shown_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scoring.protocol import Column, Protocol


@dataclass(frozen=True)
class ShownScore:
    """The submission that stands for a team, and its scores as the team reads them."""

    submission_id: int
    texts: tuple[str, ...]


NOTHING = ShownScore(0, ())


class StandingManager(models.Manager["Standing"]):
    """Keeps the cache true."""

    def refresh(self, entry: Entry) -> None:
        """Choose again the evaluation that stands for the entry. Call inside a transaction.

        The entry is locked first and the phase's pointer read after it, so that of two workers, or a worker and a
        publication, the later one sees the work of the earlier.
        """
        Entry.objects.select_for_update(no_key=True).get(pk=entry.pk)
        phase = Phase.objects.select_related("published_version").get(pk=entry.phase_id)
        version = phase.published_version
        found = candidates(entry, version) if version else []
        for among_eligible in (False, True):
            compared = [evaluation for evaluation in found if evaluation.eligible or not among_eligible]
            chosen = choose(phase, compared, version) if version else None
            if chosen is None or version is None:
                self.filter(entry=entry, among_eligible=among_eligible).delete()
                continue
            self.update_or_create(
                entry=entry,
                among_eligible=among_eligible,
                defaults={
                    "phase": phase,
                    "evaluation": chosen,
                    "scoring_version_id": chosen.scoring_version_id,
                    "metrics": chosen.values(version.protocol, as_shown=phase.compares_as_shown),
                    "submitted_at": chosen.submission.submitted_at,
                },
            )

    def shown_scores(self, phase: Phase, now: datetime | None = None) -> dict[int, ShownScore]:
        """Return, by entry, the scores that its team reads now; without texts where the phase hides them."""
        if phase.published_version is None:
            return {}
        seen = visibility(Role.PARTICIPANT, phase.facts, now or timezone.now())
        columns = seen.columns(phase.published_version.protocol) if seen.own_scores else ()
        return {
            row.entry_id: ShownScore(
                row.evaluation.submission_id,
                tuple(shown_text(row.metrics.get(column.key), column.precision) for column in columns),
            )
            for row in self.filter(phase=phase, among_eligible=False)
            .select_related("evaluation")
            .only("entry", "metrics", "evaluation__submission")
        }

    def rebuild(self, phase: Phase) -> None:
        """Refresh every entry of the phase. Call inside a transaction."""
        for entry in Entry.objects.filter(phase=phase).order_by("pk"):
            self.refresh(entry)


def candidates(entry: Entry, version: ScoringVersion) -> list[Evaluation]:
    """Return the scored evaluations that may stand for the entry, first submitted first."""
    return list(
        Evaluation.objects.filter(
            submission__entry=entry,
            submission__disqualified_at=None,
            submission__origin__in=ON_BOARDS,
            scoring_version=version,
            status=Status.SCORED,
        )
        .select_related("submission")
        .order_by("submission__submitted_at", "submission_id")
    )


def choose(phase: Phase, evaluations: list[Evaluation], version: ScoringVersion) -> Evaluation | None:
    """Return the best or the latest of the complete ones; of equals, the earliest.

    Equal are those whose values the phase compares as equal: while its reference is hidden, the values as shown. A
    team whose readmes never declared what a formula needs stands with the latest of those, which takes no rank.
    """
    protocol, as_shown = version.protocol, phase.compares_as_shown
    columns = ranking_columns(protocol, as_shown=as_shown)
    values = [evaluation.values(protocol, as_shown=as_shown) for evaluation in evaluations]
    complete = [index for index, row in enumerate(values) if None not in sort_keys(columns, row)]
    if not complete:
        whole = [evaluation for evaluation in evaluations if _has_all_metrics(protocol, evaluation.metrics)]
        return whole[-1] if whole else None
    if phase.selection == Selection.LATEST:
        return evaluations[complete[-1]]
    ranked = rank_metrics(protocol, [values[index] for index in complete], as_shown=as_shown)
    return evaluations[complete[min(index for index, rank in ranked if rank == 1)]]


def _has_all_metrics(protocol: Protocol, metrics: dict[str, float]) -> bool:
    """Whether only columns by formula are empty: every image was scored."""
    needed = [column.key for column in protocol.columns if column.formula is None]
    return all(metrics.get(key) is not None for key in (*protocol.metrics, *needed))


def ranking_columns(protocol: Protocol, *, as_shown: bool) -> tuple[Column, ...]:
    """Return the columns that order a board, first to last.

    While a reference is hidden, only those that everybody sees: the order would tell of the others.
    """
    columns = protocol.ranked_columns
    return tuple(column for column in columns if not (as_shown and protocol.is_of_subset(column)))


def sort_keys(columns: Sequence[Column], metrics: dict[str, float]) -> list[float | None]:
    """Return the values of the columns in their order."""
    return [metrics.get(column.key) for column in columns]


def rank_metrics(
    protocol: Protocol, rows: list[dict[str, float]], ranked: list[bool] | None = None, *, as_shown: bool
) -> list[tuple[int, int | None]]:
    """Return (index into rows, rank) in board order, by the columns that order the board in turn."""
    columns = ranking_columns(protocol, as_shown=as_shown)
    order = competition_ranks(
        [sort_keys(columns, row) for row in rows],
        [column.direction for column in columns],
        [protocol.tolerance_of(column) for column in columns],
        ranked,
    )
    return [(item.index, item.rank) for item in order]


class Standing(models.Model):
    """A team's row on a board: a cache of the chosen evaluation and its sort keys, never of the rank.

    Where the protocol has limits, a team has a second row, chosen among what keeps within them: its best of all need
    not be its best small model.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="standings")
    among_eligible = models.BooleanField(default=False)
    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="standings")
    evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="+")
    # The evaluation's: with it here, one index holds all that a board reads of its thousand rows to know them again.
    scoring_version = models.ForeignKey(ScoringVersion, on_delete=models.PROTECT, related_name="+")
    metrics = models.JSONField()
    submitted_at = models.DateTimeField()

    objects = StandingManager()

    class Meta:
        ordering = ("phase", "entry")
        constraints = (models.UniqueConstraint(fields=["entry", "among_eligible"], name="standing_unique"),)
        indexes = (
            models.Index(
                fields=["phase", "scoring_version", "submitted_at", "id", "among_eligible", "evaluation"],
                name="standing_of_a_board",
            ),
        )

    def __str__(self) -> str:
        return f"{self.entry}"
