"""Compare the published scores and ranks with the staged ones of a rescore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F

from bayerboard.evaluations.models import Evaluation, RescoreRun, Status
from bayerboard.leaderboards.models import choose, rank_metrics
from bayerboard.submissions.models import Entry
from bayerboard.teams.origin import ON_BOARDS, Origin

if TYPE_CHECKING:
    from bayerboard.challenges.models import Phase, ScoringVersion


@dataclass(frozen=True)
class Change:
    """A team's line before and after."""

    phase: Phase
    team: str
    before: dict[str, float]
    after: dict[str, float]
    rank_before: int | None
    rank_after: int | None

    @property
    def is_change(self) -> bool:
        return self.before != self.after or self.rank_before != self.rank_after


@dataclass(frozen=True)
class Verdict:
    """A submission whose verdict a rescore changes: one that was scored and is rejected or failed now, or back."""

    submission: int
    team: str
    before: str
    after: str


def difference(run: RescoreRun) -> list[Change]:
    """Return every team's scores and rank on the board, published and staged, in the staged board's order."""
    changes = []
    for version in run.versions.select_related("phase__track__challenge", "phase__published_version"):
        phase = version.phase
        assert phase.published_version is not None
        entries = list(Entry.objects.filter(phase=phase).select_related("team").order_by("pk"))
        before = _board(phase, phase.published_version, entries)
        after = _board(phase, version, entries)
        order = list(after) + [pk for pk in before if pk not in after]
        teams = {entry.pk: entry.team.name for entry in entries}
        nothing: tuple[dict[str, float], int | None] = ({}, None)
        for pk in order:
            (old, old_rank), (new, new_rank) = before.get(pk, nothing), after.get(pk, nothing)
            changes.append(Change(phase, teams[pk], old, new, old_rank, new_rank))
    return changes


def _board(
    phase: Phase, version: ScoringVersion, entries: list[Entry]
) -> dict[int, tuple[dict[str, float], int | None]]:
    """Return entry → (metrics, rank) as the board would be under the version, in its order."""
    rows: list[tuple[Entry, Evaluation]] = []
    for entry in entries:
        chosen = choose(phase, _evaluations(entry, version), version)
        if chosen is not None:
            rows.append((entry, chosen))
    order = rank_metrics(
        version.protocol,
        [chosen.values(version.protocol, as_shown=phase.compares_as_shown) for _, chosen in rows],
        [Origin(chosen.submission.origin).rules.may_rank for _, chosen in rows],
        as_shown=phase.compares_as_shown,
    )
    return {rows[index][0].pk: (rows[index][1].metrics, rank) for index, rank in order}


def _evaluations(entry: Entry, version: ScoringVersion) -> list[Evaluation]:
    """Return the scored evaluations of the version, and where it carries others over, those of the published one."""
    scored = Evaluation.objects.filter(
        submission__entry=entry,
        submission__disqualified_at=None,
        submission__origin__in=ON_BOARDS,
        status=Status.SCORED,
    ).select_related("submission")
    staged = {item.submission_id: item for item in scored.filter(scoring_version=version)}
    carried = scored.filter(scoring_version=entry.phase.published_version_id).exclude(
        submission__evaluations__scoring_version=version
    )
    found = [*staged.values(), *carried]
    return sorted(found, key=lambda item: (item.submission.submitted_at, item.submission_id))


def verdict_changes(run: RescoreRun) -> list[Verdict]:
    """Return the submissions that change their status; of trials, which no board shows, nothing is told."""
    told = Evaluation.objects.filter(scoring_version__run=run, submission__origin__in=ON_BOARDS)
    staged = told.select_related("submission__entry__team")
    published = {
        item.submission_id: item.status
        for item in Evaluation.objects.filter(
            submission__in=staged.values("submission"),
            scoring_version=F("submission__entry__phase__published_version"),
        )
    }
    return [
        Verdict(
            item.submission_id,
            item.submission.entry.team.name,
            published.get(item.submission_id, "—"),
            item.status,
        )
        for item in staged.order_by("submission_id")
        if published.get(item.submission_id) != item.status
    ]
