"""Clears up after uploads, also after crashes: abandoned parts, unreferenced archives, half files."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Q
from django.utils import timezone

from bayerboard.lib.storage import object_store
from bayerboard.submissions.models import Submission
from bayerboard.uploads.models import KEPT_UNSUBMITTED, State, Upload

logger = logging.getLogger(__name__)

# Beside the 30 minutes: a request that completes an upload at the last moment is still at work.
GRACE = timedelta(minutes=5)
# An archive without a row is either being submitted at this moment, or left behind; after a day it is the latter.
KEPT_ORPHANED = timedelta(days=1)
# Aborted uploads are remembered for a while, so that a late request is told what became of its own.
REMEMBERED = timedelta(days=1)
BATCH = 500
CLEARED_AT_ONCE = 1000


@dataclass(frozen=True)
class Swept:
    """Counts of the removed things."""

    uploads: int
    archives: int
    leftovers: int

    def __bool__(self) -> bool:
        return bool(self.uploads or self.archives or self.leftovers)

    def __str__(self) -> str:
        return f"{self.uploads} uploads given up, {self.archives} archives and {self.leftovers} leftovers removed"


def sweep(now: datetime | None = None) -> Swept:
    """Remove all that nobody will ask for, and nothing that a submission refers to. Repeating it does no harm."""
    uploads = give_up_abandoned(now)
    archives, leftovers = clear_storage(now)
    return Swept(uploads, archives, leftovers)


def give_up_abandoned(now: datetime | None = None) -> int:
    """Abort the uploads that were not finished, or not submitted, in time; return how many."""
    now = now or timezone.now()
    late = Q(state=State.OPEN, finish_before__lt=now - GRACE)
    unsubmitted = Q(state=State.COMPLETE, submission=None, finished_at__lt=now - KEPT_UNSUBMITTED)
    # One UPDATE: an upload that is submitted at this moment is either a submission or given up, never both.
    given_up = Upload.objects.filter(late | unsubmitted).abort()
    # The storage after that, also of those where it failed before.
    for upload in Upload.objects.filter(state=State.ABORTED, cleared_at=None)[:CLEARED_AT_ONCE]:
        upload.clear()
    Upload.objects.filter(state=State.ABORTED, cleared_at__lt=now - REMEMBERED).delete()
    return given_up


def clear_storage(now: datetime | None = None) -> tuple[int, int]:
    """Remove unreferenced archives and unfinished files; return how many of each.

    It lists the whole storage: for once an hour, not for every minute.
    """
    before = (now or timezone.now()) - KEPT_ORPHANED
    store, removed = object_store(), 0
    old = (stored.key for stored in store.objects("archives/") if stored.modified_at < before)
    while keys := list(islice(old, BATCH)):
        for key in _unreferenced(keys):
            store.delete(key)
            logger.info("removed %s, which no submission refers to", key)
            removed += 1
    in_use = Upload.objects.filter(state=State.OPEN).exclude(parts_id="").values_list("parts_id", flat=True)
    return removed, store.clear_leftovers(before, set(in_use))


def _unreferenced(keys: list[str]) -> list[str]:
    submitted = Submission.objects.filter(archive_key__in=keys).values_list("archive_key", flat=True)
    uploading = Upload.objects.filter(archive_key__in=keys).exclude(state=State.ABORTED)
    used = {*submitted, *uploading.values_list("archive_key", flat=True)}
    return [key for key in keys if key not in used]
