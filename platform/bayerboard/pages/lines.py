"""The facts that a list shows of each submission, apart from how they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.urls import reverse

from bayerboard.lib.templatetags.bayerboard_tags import ago
from bayerboard.submissions.scores import headline_scores
from bayerboard.teams.origin import Origin
from bayerboard.teams.visibility import visibility_for

if TYPE_CHECKING:
    from datetime import datetime

    from bayerboard.accounts.models import User
    from bayerboard.submissions.models import Submission


class Result(NamedTuple):
    """One line of outcome: of each status, what there is to say."""

    status: str
    # (label, text) of each column; None where the reader may not see them
    scores: tuple[tuple[str, str], ...] | None
    problems: int
    progress_percent: int


class Line(NamedTuple):
    """A line of the list. All that a page shows of it is in here, so that its text identifies the picture."""

    submission: int
    method: str
    is_disqualified: bool
    # Where it comes from, unless that is a participant.
    badge: str
    result: Result
    track: str
    phase: str
    submitted_at: datetime
    ago: str

    @property
    def url(self) -> str:
        return reverse("submission", args=[self.submission])


def line_of(submission: Submission, user: User) -> Line:
    """Return the line as this reader may see it."""
    phase = submission.entry.phase
    return Line(
        submission=submission.pk,
        method=submission.method_name,
        is_disqualified=submission.disqualified_at is not None,
        badge=badge_of(submission),
        result=result_of(submission, user),
        track=phase.track.title,
        phase=phase.title,
        submitted_at=submission.submitted_at,
        ago=ago(submission.submitted_at),
    )


def badge_of(submission: Submission) -> str:
    """Return where the submission comes from; nothing for what its team sent."""
    return "" if submission.origin == Origin.PARTICIPANT else str(submission.get_origin_display())


def result_of(submission: Submission, user: User) -> Result:
    """Return the current outcome as this reader may see it."""
    evaluation = submission.evaluation
    seen = visibility_for(user, submission.entry.phase)
    scores = None
    if seen.own_scores:
        scores = tuple((column.label, text) for column, text in headline_scores(submission, seen))
    return Result(evaluation.status, scores, len(evaluation.errors), evaluation.progress_percent)
