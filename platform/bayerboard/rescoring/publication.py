"""Publish a rescore: every pointer and all standings in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from bayerboard.challenges.audit import Act, record
from bayerboard.challenges.models import Phase, ScoringVersion
from bayerboard.evaluations.models import Evaluation, ImageScores, RescoreRun, Score, Status, queue_evaluation
from bayerboard.leaderboards.models import NOTHING, ShownScore, Standing
from bayerboard.notices.models import Kind, Notice
from bayerboard.rescoring.planning import RescoreRefused, progress
from bayerboard.submissions.models import Submission

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from bayerboard.accounts.models import User


@transaction.atomic
def publish(run: RescoreRun, *, by: User | None = None) -> None:
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
        earlier = phase.published_version
        record(
            phase.track.challenge,
            by,
            Act.RESCORE_PUBLISHED,
            f"phase {phase.path}",
            {"scoring_version": earlier.number if earlier else None},
            {"scoring_version": version.number},
            run.reason,
        )
        phase.published_version = version
        phase.save(update_fields=["published_version"])
        ScoringVersion.objects.filter(pk=version.pk).update(published_at=now)
        Standing.objects.rebuild(phase)
        _tell_of_changes(phase, before)
    RescoreRun.objects.filter(pk=run.pk).update(state=RescoreRun.State.PUBLISHED, published_at=now)


def _tell_of_changes(phase: Phase, before: dict[int, ShownScore]) -> None:
    """Tell each team whose shown score changed, once, of the submission that stands or stood for it."""
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
        images, source = getattr(evaluation, "image_scores", None), evaluation.pk
        evaluation.provenance = {**evaluation.provenance, "carried_over_from_evaluation": source}
        # Django's documented way to copy a row
        evaluation.pk, evaluation._state.adding = None, True  # noqa: SLF001
        evaluation.scoring_version = version
        evaluation.save()
        Score.objects.copy(source, evaluation)
        if images is not None:
            ImageScores.objects.create(evaluation=evaluation, names=images.names, values=images.values)


def _keep_cancelled(phase: Phase, version: ScoringVersion) -> None:
    """Keep submissions cancelled that their team cancelled, even where the staged twin was scored."""
    cancelled = Evaluation.objects.filter(scoring_version=phase.published_version_id, status=Status.CANCELLED)
    twins = Evaluation.objects.filter(scoring_version=version, submission__in=cancelled.values("submission"))
    twins.mark_cancelled()
