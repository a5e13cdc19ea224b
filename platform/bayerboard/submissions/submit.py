"""Accepts a submission: the one place where a sent archive becomes a row, under the entry's lock."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from bayerboard.challenges.models import Phase, ScoringVersion
from bayerboard.evaluations.models import Evaluation, RescoreRun, Status, queue_evaluation
from bayerboard.lib.locks import lock_for_share
from bayerboard.lib.refusals import Refused
from bayerboard.lib.storage import StorageUnavailable
from bayerboard.submissions.models import Entry, Submission
from bayerboard.teams.origin import COUNTED, Origin
from bayerboard.uploads.models import State, Upload, new_upload
from scoring.problems import Problem, problem

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.accounts.models import User
    from bayerboard.teams.models import Team

logger = logging.getLogger(__name__)

# Rejected archives cost no quota, but nobody may try without end.
REJECTED_PER_QUOTA = 10


@dataclass(frozen=True)
class Quota:
    """A team's used and remaining quota in a phase."""

    per_day: int
    total: int
    used_today: int
    used_total: int
    rejected: int
    day_ends_at: datetime

    @property
    def left(self) -> int:
        return max(0, min(self.per_day - self.used_today, self.total - self.used_total))

    def refusal(self) -> Problem | None:
        if self.used_total >= self.total:
            return problem("quota-total-used", limit=self.total)
        if self.used_today >= self.per_day:
            return problem("quota-day-used", limit=self.per_day, resets_at=f"{self.day_ends_at:%H:%M %Z}")
        if self.rejected >= REJECTED_PER_QUOTA * self.total:
            return problem("rejected-attempts-used", limit=REJECTED_PER_QUOTA * self.total)
        return None


def quota_of(phase: Phase, team: Team, now: datetime | None = None) -> Quota:
    """Count the team's use of the quota.

    Rejected archives, our own failures and what was cancelled before a worker claimed it cost nothing; whether an
    origin counts at all, its rules say.
    """
    now = now or timezone.now()
    day_start = phase.day_start(now)
    first = Evaluation.objects.filter(submission=OuterRef("pk")).order_by("pk")
    # A rescore never moves a quota: the first evaluation decides.
    counted = Submission.objects.filter(entry__phase=phase, entry__team=team, origin__in=COUNTED)
    sent = counted.annotate(
        first_status=Subquery(first.values("status")[:1]),
        first_started_at=Subquery(first.values("started_at")[:1]),
    )
    free = Q(first_status__in=[Status.REJECTED, Status.FAILED]) | Q(
        first_status=Status.CANCELLED, first_started_at=None
    )
    today = Q(submitted_at__gte=day_start)
    count = sent.aggregate(
        sent=Count("pk"),
        sent_today=Count("pk", filter=today),
        free=Count("pk", filter=free),
        free_today=Count("pk", filter=free & today),
        # What was cancelled in time or broke off costs nothing either, and is kept just the same.
        rejected=Count("pk", filter=Q(first_status__in=[Status.REJECTED, Status.CANCELLED, Status.FAILED])),
    )
    return Quota(
        per_day=phase.quota_per_day,
        total=phase.quota_total,
        used_today=count["sent_today"] - count["free_today"],
        used_total=count["sent"] - count["free"],
        rejected=count["rejected"],
        day_ends_at=day_start + timedelta(days=1),
    )


def check_open(phase: Phase, opened_at: datetime) -> None:
    """Raise Refused unless the phase took submissions when the upload was opened, and has given out its inputs.

    The verdict on an archive names the images that it lacks.
    """
    state = phase.state(opened_at)
    if state == "upcoming":
        raise Refused(problem("phase-not-open", phase=phase.title, opens_at=_local(phase, phase.starts_at)))
    if state == "closed" and phase.ends_at is not None:
        raise Refused(problem("phase-closed", phase=phase.title, closed_at=_local(phase, phase.ends_at)))
    if not phase.inputs_are_released():
        raise Refused(problem("inputs-not-released", phase=phase.title))


def check_ready(phase: Phase) -> None:
    """Raise Refused while there is nothing to score by."""
    if phase.published_version_id is None:
        raise Refused(problem("phase-not-ready", phase=phase.title))


def _local(phase: Phase, moment: datetime) -> str:
    """Write a moment in the challenge's time zone."""
    return f"{moment.astimezone(phase.track.challenge.zone):%-d %B %Y, %H:%M %Z}"


def check_quota(phase: Phase, team: Team) -> None:
    """Raise Refused when nothing is left."""
    reason = quota_of(phase, team).refusal()
    if reason is not None:
        raise Refused(reason)


def check_accepts(phase: Phase, team: Team | None, origin: Origin, opened_at: datetime) -> None:
    """Raise Refused unless the phase takes an archive of this origin that the team began to send at that moment.

    `team` may be None where the rules of the origin have no quota.
    """
    if origin.rules.has_deadline:
        check_open(phase, opened_at)
    check_ready(phase)
    if origin.rules.has_quota:
        assert team is not None, "a quota is a team's"
        check_quota(phase, team)


@dataclass(frozen=True)
class About:
    """Description of a submission beside its archive."""

    method_name: str
    description: str
    # A retried request with the same key is the same submission.
    idempotency_key: str


@dataclass(frozen=True)
class Sent(About):
    """A request that brought the archive whole."""

    archive: Path
    archive_name: str
    opened_at: datetime


def find_earlier(phase: Phase, team: Team, idempotency_key: str) -> Submission | None:
    """Return the submission that an earlier request with the same key made."""
    return Submission.objects.filter(entry__phase=phase, entry__team=team, idempotency_key=idempotency_key).first()


def submit(phase: Phase, team: Team, user: User | None, sent: Sent, *, origin: Origin) -> Submission:
    """Submit an archive that came whole: as an upload that is opened and completed in one go.

    `user` is who sends it, which on behalf of a team is no member of it; None for a program. Deadline, quota and limit
    of size are those of the origin. Raises Refused, with nothing stored.
    """
    if (origin == Origin.BASELINE) != team.is_baseline:
        raise ValueError(f"a submission of origin {origin} by a team of kind {team.kind}")
    earlier = find_earlier(phase, team, sent.idempotency_key)
    if earlier is not None:
        return earlier
    size_bytes = sent.archive.stat().st_size
    upload = new_upload(phase, team, user, sent.archive_name, size_bytes, sent.opened_at, origin=origin)
    if origin.rules.has_deadline:
        upload.check_open()
    check_accepts(phase, team, origin, sent.opened_at)
    upload.save(force_insert=True)
    try:
        upload.receive(sent.archive)
    except StorageUnavailable:
        upload.abort()
        raise
    return submit_upload(upload, user, sent)


def submit_upload(upload: Upload, user: User | None, about: About) -> Submission:
    """Make a submission and its evaluation of a complete upload in one transaction, and wake a worker on commit.

    A repeated `idempotency_key`, or an upload that was submitted before, gives the submission that the first request
    made. Raises Refused, and the archive is not kept. Any other failure leaves it where it is: the transaction may
    have been committed all the same, and the sweep removes what nobody needs.
    """
    try:
        submission, is_new = _record(upload, user, about)
    except Refused:
        upload.abort()
        raise
    if is_new:  # and committed
        logger.info("accepted %s", submission.archive_name, extra={"submission": submission.pk})
    if submission.archive_key != upload.archive_key:
        upload.abort()  # the same request brought its archive before, or was faster in another process
    return submission


def _find_twin(upload: Upload, about: About) -> Submission | None:
    """Return the submission that this request, or this upload, made before."""
    earlier = find_earlier(upload.phase, upload.team, about.idempotency_key)
    return earlier or Submission.objects.filter(upload=upload).first()


@transaction.atomic
def _record(upload: Upload, user: User | None, about: About) -> tuple[Submission, bool]:
    """Return the submission, and whether it is new."""
    # The phase, so that a publication and a submission come one after the other, while submissions do not wait for each
    # other; the entry for its quota.
    lock_for_share(Phase, upload.phase_id)
    phases = Phase.objects.select_related("track__challenge", "published_version").defer("manifest_data")
    upload.phase = phase = phases.get(pk=upload.phase_id)
    entry = _locked_entry(phase, upload.team)
    # Under the lock, before deadline and quota: a twin of a request that was taken before needs neither.
    earlier = _find_twin(upload, about)
    if earlier is not None:
        return earlier, False
    check_accepts(phase, upload.team, Origin(upload.origin), upload.judged_at(timezone.now()))
    assert upload.size_bytes is not None, "only a complete upload is submitted"
    submission = Submission.objects.create(
        entry=entry,
        submitted_by=user,
        origin=upload.origin,
        method_name=about.method_name,
        description=about.description,
        archive_key=upload.archive_key,
        archive_name=upload.filename,
        archive_size_bytes=upload.size_bytes,
        idempotency_key=about.idempotency_key,
    )
    if not upload.hand_over(submission.pk):
        # Given up meanwhile, by a member of the team or by the sweep; the transaction is taken back.
        raise Refused(problem("upload-ended", file=upload.filename, state=State.ABORTED))
    assert phase.published_version is not None, "check_accepts"
    queue_evaluation(submission.pk, phase.published_version)
    # It joins the open rescores too, so that their publication leaves nobody without a score.
    for version in ScoringVersion.objects.filter(phase=phase, run__state=RescoreRun.State.OPEN):
        queue_evaluation(submission.pk, version, is_staged=True)
    return submission, True


def _locked_entry(phase: Phase, team: Team) -> Entry:
    """Return the team's entry, made where there is none yet, and locked until the transaction ends."""
    entries = Entry.objects.select_for_update(no_key=True)
    entry = entries.filter(phase=phase, team=team).first()
    if entry is None:
        made, _ = Entry.objects.get_or_create(phase=phase, team=team)
        entry = entries.get(pk=made.pk)
    return entry
