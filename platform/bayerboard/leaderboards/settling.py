"""Decides when a phase is over, and by which values its standings are chosen.

While a reference is hidden, standings are chosen, ordered and tied by the values as shown, so that nothing that a
participant sees depends on digits that no page shows. Once the phase is over, every standing is chosen anew by the
unrounded values, in one transaction; when a phase is reopened, that is reversed.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from bayerboard.challenges.models import Compared, Phase, ReferenceSet
from bayerboard.challenges.visibility import TIME_TO_FINISH
from bayerboard.evaluations.models import Evaluation
from bayerboard.leaderboards.models import Standing
from bayerboard.teams.origin import ON_BOARDS
from bayerboard.uploads.models import State, Upload

if TYPE_CHECKING:
    from datetime import datetime

logger = logging.getLogger(__name__)

_SETS_REMEMBERED = 64


def settle_phases(now: datetime | None = None) -> int:
    """Settle every phase; return how many changed. Repeating it does no harm."""
    now = now or timezone.now()
    phases = Phase.objects.select_related("published_version").defer("manifest_data").order_by("pk")
    return sum(settle(phase.pk, now) for phase in phases if _is_unsettled(phase, now))


def settle(phase_id: int, now: datetime | None = None) -> bool:
    """Bring one phase and all its standings in line with the time; return whether anything changed.

    The phase is locked, so that neither a publication nor a submission comes in between.
    """
    now = now or timezone.now()
    with transaction.atomic():
        phase = Phase.objects.select_for_update(no_key=True).defer("manifest_data").get(pk=phase_id)
        over_at, compared = _wanted(phase, now)
        if (over_at, compared) == (phase.over_at, phase.compared):
            return False
        is_chosen_anew = compared != phase.compared
        Phase.objects.filter(pk=phase.pk).update(over_at=over_at, compared=compared)
        if is_chosen_anew:
            Standing.objects.rebuild(phase)
    logger.info("phase %s: %s, compared %s", phase.pk, "over" if over_at else "not over", compared)
    return True


def _is_unsettled(phase: Phase, now: datetime) -> bool:
    return _wanted(phase, now) != (phase.over_at, phase.compared)


def _wanted(phase: Phase, now: datetime) -> tuple[datetime | None, str]:
    """Return since when the phase is over, and by which values its standings are to be chosen."""
    over_at = None
    # The images again: a phase that opens later, or is extended, may hide them anew.
    if _has_ended(phase, now) and not _shares_a_hidden_image(phase, now):
        over_at = phase.over_at or (None if _has_unfinished(phase, now) else now)
    is_exact = phase.publishes_images or over_at is not None
    return over_at, Compared.EXACT if is_exact else Compared.SHOWN


def _has_ended(phase: Phase, now: datetime) -> bool:
    """Whether the time for the last upload has run out."""
    return phase.ends_at is not None and now >= phase.ends_at + TIME_TO_FINISH


def _has_unfinished(phase: Phase, now: datetime) -> bool:
    """Whether something that a board may show is on its way: trials, which are sent at any time, are not."""
    uploads = Upload.objects.filter(phase=phase, state=State.OPEN, finish_before__gt=now, origin__in=ON_BOARDS)
    waiting = Evaluation.objects.filter(submission__entry__phase=phase, is_staged=False).unfinished()
    evaluations = waiting.filter(submission__origin__in=ON_BOARDS)
    return uploads.exists() or evaluations.exists()


def _shares_a_hidden_image(phase: Phase, now: datetime) -> bool:
    """Whether a phase that has not ended scores against an image of this one, and hides it."""
    if phase.publishes_images:
        return False
    own = _hashes(phase)
    others = Phase.objects.filter(publishes_images=False, over_at=None).exclude(pk=phase.pk)
    unfinished = (
        other
        for other in others.select_related("published_version").defer("manifest_data")
        if not _has_ended(other, now) or _has_unfinished(other, now)
    )
    return bool(own) and any(own & _hashes(other) for other in unfinished)


def _hashes(phase: Phase) -> frozenset[str]:
    """Return the sha256 of each image that the phase is scored against."""
    version = phase.published_version
    return frozenset() if version is None else _hashes_of(version.reference_set_id)


@lru_cache(maxsize=_SETS_REMEMBERED)
def _hashes_of(reference_set_id: int) -> frozenset[str]:
    """Return the images' sha256 of a reference set; it never changes."""
    manifest = ReferenceSet.objects.values_list("manifest_data", flat=True).get(pk=reference_set_id)
    return frozenset(image["sha256"] for image in manifest)
