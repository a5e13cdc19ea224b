"""The scores of a submission as every page and mail writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayerboard.evaluations.models import Status
from bayerboard.lib.templatetags.bayerboard_tags import headlines, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayerboard.challenges.visibility import Visibility
    from bayerboard.submissions.models import Submission
    from scoring.protocol import Column


def shown_scores(submission: Submission, seen: Visibility) -> list[tuple[Column, str]]:
    """Return the columns that the reader may see, each with its text; none where scores are hidden, or not there."""
    if not seen.own_scores:
        return []
    return _texts(submission, seen.columns(submission.evaluation.scoring_version.protocol))


def headline_scores(submission: Submission, seen: Visibility) -> list[tuple[Column, str]]:
    """Return the few columns that fit on a line, of those that the reader may see; none where scores are hidden."""
    if not seen.own_scores:
        return []
    return _texts(submission, headlines(seen.columns(submission.evaluation.scoring_version.protocol)))


def _texts(submission: Submission, columns: Sequence[Column]) -> list[tuple[Column, str]]:
    evaluation = submission.evaluation
    if evaluation.status != Status.SCORED:
        return []
    protocol = evaluation.scoring_version.protocol
    values = evaluation.values(protocol, as_shown=submission.entry.phase.compares_as_shown)
    return [(column, score(values.get(column.key), column)) for column in columns]
