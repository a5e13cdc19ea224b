"""Uploads: an archive on its way, from the first byte that is announced to the submission that it becomes."""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from bayerboard.challenges.models import Phase
from bayerboard.challenges.visibility import TIME_TO_FINISH
from bayerboard.lib.refusals import Refused
from bayerboard.lib.storage import PartsGone, StorageUnavailable, object_store
from bayerboard.teams.models import Team
from bayerboard.teams.origin import Origin, known_origin
from scoring.problems import problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from django.contrib.auth.models import AnonymousUser

    from bayerboard.accounts.models import User
    from bayerboard.lib.storage import Part

logger = logging.getLogger(__name__)

# Uploads of one team that are open, or complete and not submitted: what bounds the disk that it can fill.
UNSUBMITTED_AT_MOST = 10
# How long a complete upload waits for its submission.
KEPT_UNSUBMITTED = timedelta(days=1)
PARTS_AT_MOST = 10_000  # S3's own limit
NAME_LENGTH = 255
# A part's address is for one try: the browser asks for the next when it sends the part again.
PART_URL_EXPIRES_S = 15 * 60


class State(models.TextChoices):
    """Where an upload stands. It moves in this module, by conditional updates."""

    OPEN = "open", "open"
    COMPLETE = "complete", "complete"
    ABORTED = "aborted", "aborted"


class UploadQuerySet(models.QuerySet["Upload"]):
    """Sets of uploads."""

    def unsubmitted(self, now: datetime | None = None) -> UploadQuerySet:
        """Keep uploads that may still become a submission."""
        is_open = Q(state=State.OPEN, finish_before__gt=now or timezone.now())
        return self.filter(is_open | Q(state=State.COMPLETE, submission=None))

    def abort(self) -> int:
        """Give up all of these that are not submitted; their storage is cleared afterwards."""
        unfinished = self.exclude(state=State.ABORTED).filter(submission=None)
        return unfinished.update(state=State.ABORTED, finished_at=timezone.now())


class Upload(models.Model):
    """One archive of a team for a phase.

    The deadline is judged by `opened_at`; from then on there are 30 minutes to finish. What was announced is only a
    plan: what is taken is what arrived.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="uploads")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="uploads")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="uploads", null=True, editable=False
    )
    origin = models.CharField(max_length=12, choices=Origin.choices, editable=False)
    filename = models.CharField(max_length=NAME_LENGTH)
    announced_bytes = models.PositiveBigIntegerField()
    part_size_bytes = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN, db_index=True, editable=False)
    archive_key = models.CharField(max_length=200, unique=True, editable=False)
    # What the storage calls the parts; empty for an archive that came whole, in a form.
    parts_id = models.CharField(max_length=1024, blank=True, editable=False)
    size_bytes = models.PositiveBigIntegerField(null=True, editable=False)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    finish_before = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    # When the storage was rid of what an aborted upload left there.
    cleared_at = models.DateTimeField(null=True, editable=False)
    # An upload makes one submission, however often it is submitted.
    submission = models.OneToOneField(
        "submissions.Submission", on_delete=models.CASCADE, related_name="upload", null=True, editable=False
    )

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = (known_origin("upload_origin_known"),)

    def __str__(self) -> str:
        return f"upload {self.pk}"

    def belongs_to(self, user: User | AnonymousUser) -> bool:
        """Whether the user may see and submit it: a member of its team, and of a trial the sender alone."""
        if not user.is_authenticated:
            return False
        if self.origin == Origin.TRIAL:
            return self.opened_by_id == user.pk
        return self.team.memberships.filter(user=user).exists()

    # --- Its parts ---

    @property
    def part_count(self) -> int:
        return max(1, -(-self.announced_bytes // self.part_size_bytes))

    def bytes_of_part(self, number: int) -> int:
        """Return the size that a part must have; Refused when there is no such part."""
        if not 1 <= number <= self.part_count:
            raise Refused(problem("part-unknown", number=number, part_count=self.part_count))
        return min(self.part_size_bytes, self.announced_bytes - (number - 1) * self.part_size_bytes)

    def check_open(self) -> None:
        """Raise Refused unless parts are still taken."""
        if self.state != State.OPEN:
            raise Refused(problem("upload-ended", file=self.filename, state=self.state))
        if timezone.now() >= self.finish_before:
            raise Refused(problem("upload-expired", file=self.filename))

    def part_url(self, number: int) -> str | None:
        """Return a signed address of the storage for one part; None where the site itself takes it."""
        self.check_open()
        size_bytes = self.bytes_of_part(number)
        return object_store().part_url(self.archive_key, self.parts_id, number, size_bytes, PART_URL_EXPIRES_S)

    def arrived(self) -> list[Part]:
        """Return the parts that are there; none once they have become an archive, or were given up."""
        if self.state != State.OPEN:
            return []
        try:
            return object_store().list_parts(self.archive_key, self.parts_id)
        except PartsGone:
            return []

    # --- Its end ---

    def complete(self, etags: Mapping[int, str]) -> None:
        """Make the archive of its parts, if all of them are there, as they were sent; Refused otherwise.

        To complete what is complete changes nothing.
        """
        if self.state == State.COMPLETE:
            return
        self.check_open()
        store = object_store()
        # Gone: they are an archive already, which an earlier request made and did not get to say so.
        with suppress(PartsGone):
            parts = store.list_parts(self.archive_key, self.parts_id)
            self._check_parts(parts, etags)
            store.complete_parts(self.archive_key, self.parts_id, parts)
        try:
            size_bytes = store.size_bytes(self.archive_key)
        except FileNotFoundError:
            # Or given up meanwhile, or lost by the storage: nothing can come of it any more.
            self.abort()
            raise Refused(problem("upload-ended", file=self.filename, state=State.ABORTED)) from None
        if size_bytes != self.announced_bytes:
            self.abort()
            raise self._incomplete(size_bytes)
        self._finish(size_bytes)

    def _check_parts(self, parts: list[Part], etags: Mapping[int, str]) -> None:
        received = sum(part.size_bytes for part in parts)
        self._check_size(received)
        for part in parts:
            expected = self.bytes_of_part(part.number)
            if part.size_bytes != expected:
                raise wrong_part_size(part.number, part.size_bytes, expected)
        mismatched = [part for part in parts if part.number in etags and not part.matches(etags[part.number])]
        if len(parts) < self.part_count or mismatched:
            raise self._incomplete(received - sum(part.size_bytes for part in mismatched))

    def _check_size(self, size_bytes: int) -> None:
        try:
            check_size(self.phase, Origin(self.origin), self.filename, size_bytes)
        except Refused:
            self.abort()
            raise

    def _incomplete(self, received_bytes: int) -> Refused:
        size_bytes = self.announced_bytes
        return Refused(
            problem("upload-incomplete", file=self.filename, received_bytes=received_bytes, size_bytes=size_bytes)
        )

    def _finish(self, size_bytes: int) -> None:
        """Move from open to complete; Refused, and nothing kept, if the stored archive is too large."""
        self._check_size(size_bytes)
        fields = {"state": State.COMPLETE, "size_bytes": size_bytes, "finished_at": timezone.now()}
        mine = Upload.objects.filter(pk=self.pk, state=State.OPEN).update(**fields)
        self.refresh_from_db(fields=["state", "size_bytes", "finished_at", "submission"])
        if not mine and self.state == State.ABORTED:
            # Given up while the archive was made of the parts: whoever did so found no archive to remove.
            self.clear()
            raise Refused(problem("upload-ended", file=self.filename, state=self.state))

    def receive(self, source: Path) -> None:
        """Store an archive that came whole."""
        object_store().put(self.archive_key, source)
        self._finish(object_store().size_bytes(self.archive_key))

    def abort(self) -> bool:
        """Give it up and remove its parts, unless it is a submission by now."""
        aborted = bool(Upload.objects.filter(pk=self.pk).abort())
        if aborted:
            self.refresh_from_db(fields=["state", "finished_at"])
            try:
                self.clear()
            except StorageUnavailable as error:
                logger.warning("%s: not cleared yet, the sweep will: %s", self, error)
        return aborted

    def clear(self) -> None:
        """Free the storage of an aborted upload."""
        store = object_store()
        if self.parts_id:
            store.abort_parts(self.archive_key, self.parts_id)
        store.delete(self.archive_key)
        Upload.objects.filter(pk=self.pk, state=State.ABORTED).update(cleared_at=timezone.now())

    # --- Its submission ---

    def hand_over(self, submission_id: int) -> bool:
        """Become the archive of a submission, in its transaction; False if it is given up or another's by now."""
        mine = Upload.objects.filter(pk=self.pk, state=State.COMPLETE, submission=None)
        return mine.update(submission=submission_id) == 1

    def judged_at(self, now: datetime) -> datetime:
        """Return the moment by which a deadline is judged: that of opening, as long as the time to finish runs."""
        return self.opened_at if now < self.finish_before else now


def size_limit_bytes(phase: Phase, origin: Origin) -> int | None:
    """Return how large an archive of this origin may be; None where there is no limit."""
    return phase.max_archive_bytes if origin.rules.has_size_limit else None


def check_size(phase: Phase, origin: Origin, filename: str, size_bytes: int) -> None:
    """Raise Refused for an archive that is larger than its origin may be."""
    limit = size_limit_bytes(phase, origin)
    if limit is not None and size_bytes > limit:
        raise Refused(problem("archive-too-large", file=filename, size_bytes=size_bytes, limit_bytes=limit))


def wrong_part_size(number: int, received_bytes: int, size_bytes: int) -> Refused:
    return Refused(problem("part-wrong-size", number=number, received_bytes=received_bytes, size_bytes=size_bytes))


def open_upload(phase: Phase, team: Team, user: User, filename: str, size_bytes: int, *, origin: Origin) -> Upload:
    """Begin an upload in parts; Refused when it is too large, or one too many. The caller judged phase and quota."""
    check_size(phase, origin, filename, size_bytes)
    if size_bytes == 0:
        raise Refused(problem("archive-empty", file=filename))
    upload = _reserve(new_upload(phase, team, user, filename, size_bytes, timezone.now(), origin=origin))
    try:
        parts_id = object_store().open_parts(upload.archive_key, size_bytes, upload.part_size_bytes)
    except StorageUnavailable:
        upload.abort()
        raise
    upload.parts_id = parts_id
    upload.save(update_fields=["parts_id"])
    return upload


def new_upload(
    phase: Phase,
    team: Team,
    user: User | None,
    filename: str,
    size_bytes: int,
    opened_at: datetime,
    *,
    origin: Origin,
) -> Upload:
    """Return an upload that is not saved yet."""
    return Upload(
        phase=phase,
        team=team,
        opened_by=user,
        origin=origin,
        filename=filename,
        announced_bytes=size_bytes,
        part_size_bytes=max(settings.UPLOAD_PART_BYTES, -(-size_bytes // PARTS_AT_MOST)),
        archive_key=f"archives/{uuid.uuid4().hex}.zip",
        opened_at=opened_at,
        finish_before=opened_at + TIME_TO_FINISH,
    )


@transaction.atomic
def _reserve(upload: Upload) -> Upload:
    # Under the team's lock: two that are opened at once are counted one after the other.
    Team.objects.select_for_update(no_key=True).get(pk=upload.team_id)
    count = Upload.objects.filter(team=upload.team_id).unsubmitted().count()
    if count >= UNSUBMITTED_AT_MOST:
        minutes = int(TIME_TO_FINISH.total_seconds()) // 60
        raise Refused(problem("too-many-uploads", count=count, minutes=minutes))
    upload.save(force_insert=True)
    return upload


def get_upload(user: User | AnonymousUser, pk: uuid.UUID) -> Upload:
    """Return the upload if it is the user's; Http404 otherwise."""
    upload = Upload.objects.select_related("phase__track__challenge", "team").filter(pk=pk).first()
    if upload is None or not upload.belongs_to(user):
        raise Http404("There is no such upload.")
    return upload
