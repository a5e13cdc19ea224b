"""Scores stored submissions again: a plan, staged evaluations, a difference, one publication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from bayerboard.challenges.models import Phase, ScoringVersion
from bayerboard.evaluations.models import Evaluation, ImageScores, RescoreRun, Status, queue_evaluation
from bayerboard.leaderboards.models import NOTHING, ShownScore, Standing, choose, rank_metrics
from bayerboard.notices.models import Kind, Notice
from bayerboard.submissions.models import Entry, Submission
from scoring import SCORER_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence


class RescoreRefused(Exception):
    """The rescore cannot be done; the message says why and what to do."""


@dataclass(frozen=True)
class PhasePlan:
    """What a rescore would do in one phase."""

    phase: Phase
    submissions: tuple[int, ...]
    # All that the phase has, and so also what comes in until the run starts.
    is_whole: bool
    # Scored before and kept as they are, when only some submissions are chosen.
    carried_over: int
    images: int
    changes: tuple[str, ...]


def plan(phases: list[Phase], submission_ids: list[int] | None) -> list[PhasePlan]:
    """Say what would be scored again, and what changed since the published version. Writes nothing."""
    plans = []
    for phase in phases:
        if phase.published_version is None:
            continue
        every = _stored(phase)
        chosen = every if submission_ids is None else every & set(submission_ids)
        changes = tuple(_changes(phase))
        if chosen and chosen != every:
            _refuse_two_kinds(phase, changes)
        images = len(chosen) * len(phase.manifest.files)
        # With nothing to score, what changed since can still be published: no other command could do it.
        if chosen or (changes and submission_ids is None):
            kept = len(every - chosen)
            plans.append(PhasePlan(phase, tuple(sorted(chosen)), not kept, kept, images, changes))
    missing = set(submission_ids or ()) - {pk for item in plans for pk in item.submissions}
    if missing:
        raise RescoreRefused(f"Not among the submissions of the target: {', '.join(map(str, sorted(missing)))}.")
    return plans


def _refuse_two_kinds(phase: Phase, changes: Sequence[str]) -> None:
    if changes:
        raise RescoreRefused(
            f"{phase.path}: since the published scores, {' and '.join(changes)}. Scores of two kinds cannot stand "
            "on one board: rescore the whole phase, without --submission."
        )


def _stored(phase: Phase) -> set[int]:
    """Return the submissions that can be scored: all but the cancelled ones."""
    stored = Submission.objects.filter(entry__phase=phase).exclude(evaluations__status=Status.CANCELLED)
    return set(stored.values_list("pk", flat=True))


def _changes(phase: Phase) -> list[str]:
    published = phase.published_version
    assert published is not None
    newest = phase.reference_sets.latest("version")
    changes = []
    if newest.pk != published.reference_set_id:
        changes.append(f"the reference set became version {newest.version}")
    if phase.track.protocol.digest != published.protocol_sha256:
        changes.append("the track's protocol changed")
    if published.scorer_version != SCORER_VERSION:
        changes.append(f"the scorer became version {SCORER_VERSION}")
    return changes


@transaction.atomic
def start(target: str, plans: list[PhasePlan], reason: str) -> RescoreRun:
    """Make the new scoring versions and queue their evaluations, staged: no page shows anything of them."""
    run = RescoreRun.objects.create(target=target, reason=reason)
    for item in plans:
        phase = Phase.objects.select_for_update(no_key=True).get(pk=item.phase.pk)
        if ScoringVersion.objects.filter(phase=phase, run__state=RescoreRun.State.OPEN).exists():
            raise RescoreRefused(f"{item.phase.path} is being rescored already; publish that run first.")
        if not item.is_whole:
            _refuse_two_kinds(phase, _changes(phase))
        protocol = phase.track.protocol
        number = ScoringVersion.objects.filter(phase=phase).aggregate(last=Max("number"))["last"] or 0
        version = ScoringVersion.objects.create(
            phase=phase,
            number=number + 1,
            reference_set=phase.reference_sets.latest("version"),
            protocol_data=protocol.to_json(),
            protocol_sha256=protocol.digest,
            scorer_version=SCORER_VERSION,
            run=run,
            reason=reason,
        )
        # Looked up again now that the phase is locked: what came in since the plan was made would otherwise be carried
        # over with a score of the old kind.
        for pk in sorted(_stored(phase)) if item.is_whole else item.submissions:
            queue_evaluation(pk, version, is_staged=True)
    return run


def progress(run: RescoreRun) -> tuple[int, int]:
    """Return how many of the run's evaluations are finished, and how many there are."""
    evaluations = Evaluation.objects.filter(scoring_version__run=run)
    return evaluations.count() - evaluations.unfinished().count(), evaluations.count()


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
        [chosen.metrics for _, chosen in rows],
        [not entry.team.is_baseline for entry, _ in rows],
    )
    return {rows[index][0].pk: (rows[index][1].metrics, rank) for index, rank in order}


def _evaluations(entry: Entry, version: ScoringVersion) -> list[Evaluation]:
    """Return the scored evaluations of the version, and where it carries others over, those of the published one."""
    scored = Evaluation.objects.filter(
        submission__entry=entry, submission__disqualified_at=None, status=Status.SCORED
    ).select_related("submission")
    staged = {item.submission_id: item for item in scored.filter(scoring_version=version)}
    carried = scored.filter(scoring_version=entry.phase.published_version_id).exclude(
        submission__evaluations__scoring_version=version
    )
    found = [*staged.values(), *carried]
    return sorted(found, key=lambda item: (item.submission.submitted_at, item.submission_id))


def verdict_changes(run: RescoreRun) -> list[Verdict]:
    """Return the submissions that change their status."""
    staged = Evaluation.objects.filter(scoring_version__run=run).select_related("submission__entry__team")
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


@transaction.atomic
def publish(run: RescoreRun) -> None:
    """Move every phase's pointer and all standings at once; refused while an evaluation of the run is unfinished."""
    versions = list(run.versions.order_by("phase"))
    phases = Phase.objects.select_for_update(no_key=True).in_bulk([version.phase_id for version in versions])
    run = RescoreRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.state != RescoreRun.State.OPEN:
        raise RescoreRefused(f"Run {run.pk} is published already.")
    done, total = progress(run)
    if done < total:
        raise RescoreRefused(f"Run {run.pk} is not finished: {done} of {total} evaluations are done.")
    now = timezone.now()
    for version in versions:
        phase = phases[version.phase_id]
        before = Standing.objects.shown_scores(phase)
        _carry_over(phase, version)
        _keep_cancelled(phase, version)
        Evaluation.objects.filter(scoring_version=version).update(is_staged=False)
        phase.published_version = version
        phase.save(update_fields=["published_version"])
        ScoringVersion.objects.filter(pk=version.pk).update(published_at=now)
        Standing.objects.rebuild(phase)
        _tell_of_changes(phase, before)
    RescoreRun.objects.filter(pk=run.pk).update(state=RescoreRun.State.PUBLISHED, published_at=now)


def _tell_of_changes(phase: Phase, before: dict[int, ShownScore]) -> None:
    """Tell each team whose score is another now, once: of what stands for it, or of what stood for it."""
    after = Standing.objects.shown_scores(phase)
    changed = [
        (after.get(entry) or before[entry]).submission_id
        for entry in sorted(before.keys() | after.keys())
        if before.get(entry, NOTHING).texts != after.get(entry, NOTHING).texts
    ]
    submissions = Submission.objects.filter(pk__in=changed).select_related("entry").order_by("pk")
    Notice.objects.announce(submissions, Kind.RESCORE)


def _carry_over(phase: Phase, version: ScoringVersion) -> None:
    """Copy the published evaluations of submissions that were not chosen: nobody loses a score."""
    kept: QuerySet[Evaluation] = Evaluation.objects.filter(
        scoring_version=phase.published_version_id, submission__entry__phase=phase
    ).exclude(submission__evaluations__scoring_version=version)
    for evaluation in kept.select_related("image_scores"):
        if not evaluation.is_final:
            queue_evaluation(evaluation.submission_id, version)  # a copy of a claim would belong to nobody
            continue
        images = getattr(evaluation, "image_scores", None)
        evaluation.provenance = {**evaluation.provenance, "carried_over_from_evaluation": evaluation.pk}
        # Django's documented way to copy a row
        evaluation.pk, evaluation._state.adding = None, True  # noqa: SLF001
        evaluation.scoring_version = version
        evaluation.save()
        if images is not None:
            ImageScores.objects.create(evaluation=evaluation, names=images.names, values=images.values)


def _keep_cancelled(phase: Phase, version: ScoringVersion) -> None:
    """Let what its team cancelled stay cancelled, even where the staged twin was scored before."""
    cancelled = Evaluation.objects.filter(scoring_version=phase.published_version_id, status=Status.CANCELLED)
    twins = Evaluation.objects.filter(scoring_version=version, submission__in=cancelled.values("submission"))
    twins.mark_cancelled()
