"""Deleting trials: the one kind of submission that nobody's rank or quota depends on."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from bayerboard.challenges.audit import Act, record
from bayerboard.challenges.models import Phase
from bayerboard.challenges.roles import staff_role
from bayerboard.evaluations.models import Evaluation
from bayerboard.lib.locks import lock_for_share
from bayerboard.lib.refusals import Refused
from bayerboard.lib.storage import StorageUnavailable, object_store
from bayerboard.submissions.models import Submission
from scoring.problems import problem

if TYPE_CHECKING:
    from bayerboard.accounts.models import User

logger = logging.getLogger(__name__)


def may_delete(user: User, submission: Submission) -> bool:
    """Whether the user sent the submission, or may organise its challenge; only trials can be deleted."""
    challenge = submission.entry.phase.track.challenge
    return submission.submitted_by_id == user.pk or staff_role(user, challenge).may_organise


@transaction.atomic
def delete_trial(submission: Submission, by: User) -> None:
    """Remove a trial with its scores, notices and upload, and after the transaction its archive.

    Refused for a submission that is no trial, and while a worker scores it. One that is gone already is no error.
    """
    if not submission.is_trial:
        raise Refused(problem("not-a-trial"))
    # So that a rescore neither begins with it nor is published meanwhile.
    lock_for_share(Phase, submission.entry.phase_id)
    evaluations = Evaluation.objects.filter(submission=submission)
    # Those of an open rescore too. What waits is taken from the queue first, so that no worker claims it meanwhile.
    evaluations.queued().mark_cancelled()
    if evaluations.running().exists():
        raise Refused(problem("trial-running"))
    evaluations.delete()
    # The rows that refer to it go with it.
    deleted, _ = Submission.objects.filter(pk=submission.pk).delete()
    if not deleted:
        return
    challenge = submission.entry.phase.track.challenge
    record(challenge, by, Act.TRIAL_DELETED, f"submission {submission.pk}", {"method": submission.method_name})
    transaction.on_commit(partial(_remove_archive, submission.pk, submission.archive_key), robust=True)


def _remove_archive(pk: int, key: str) -> None:
    logger.info("deleted a trial", extra={"submission": pk})
    try:
        object_store().delete(key)
    except StorageUnavailable as error:
        logger.warning("%s: not removed yet, the sweep will: %s", key, error)
