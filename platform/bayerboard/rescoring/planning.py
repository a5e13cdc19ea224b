"""Plan a rescore, stage its evaluations, and tell how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max

from bayerboard.challenges.audit import Act, record
from bayerboard.challenges.models import Phase, ScoringVersion
from bayerboard.evaluations.models import Evaluation, RescoreRun, Status, queue_evaluation
from bayerboard.submissions.models import Submission
from scoring import SCORER_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayerboard.accounts.models import User


class RescoreRefused(Exception):
    """The rescore cannot be done; the message gives the reason and the remedy."""


@dataclass(frozen=True)
class PhasePlan:
    """The plan of a rescore in one phase."""

    phase: Phase
    submissions: tuple[int, ...]
    # All that the phase has, and so also what comes in until the run starts.
    is_whole: bool
    # Scored before and kept as they are, when only some submissions are chosen.
    carried_over: int
    images: int
    changes: tuple[str, ...]


def plan(phases: list[Phase], submission_ids: list[int] | None) -> list[PhasePlan]:
    """List the submissions to score again and the changes since the published version. Writes nothing."""
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
def start(target: str, plans: list[PhasePlan], reason: str, *, by: User | None = None) -> RescoreRun:
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
        submissions = sorted(_stored(phase)) if item.is_whole else item.submissions
        for pk in submissions:
            queue_evaluation(pk, version, is_staged=True)
        changes = {"scoring_version": version.number, "submissions": len(submissions)}
        record(phase.track.challenge, by, Act.RESCORE_PLANNED, f"phase {item.phase.path}", {}, changes, reason)
    return run


def progress(run: RescoreRun) -> tuple[int, int]:
    """Return how many of the run's evaluations are finished, and how many there are."""
    evaluations = Evaluation.objects.filter(scoring_version__run=run)
    return evaluations.count() - evaluations.unfinished().count(), evaluations.count()
