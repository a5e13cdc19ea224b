"""Follow a submission, read its result, list one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bayerboard.challenges.roles import staff_role
from bayerboard.evaluations.models import Status
from bayerboard.leaderboards.board import position_of
from bayerboard.lib.pages import page_number
from bayerboard.lib.refusals import Refused
from bayerboard.lib.responses import download
from bayerboard.notices.models import Notice
from bayerboard.pages.lines import badge_of
from bayerboard.submissions.models import Submission, get_own_submission, get_submission
from bayerboard.submissions.scores import shown_scores
from bayerboard.submissions.trials import delete_trial, may_delete
from bayerboard.teams.visibility import visibility_for
from scoring.problems import SCORE_DERIVED, problem

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

SUBMISSIONS_PER_PAGE = 25


@login_required
@require_GET
def submission_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Render submissions/submission.html with everything that this reader may know (see `_submission_context`)."""
    return render(request, "submissions/submission.html", _submission_context(request, pk))


@login_required
@require_GET
def submission_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Render submissions/_status.html, which replaces itself every second until the evaluation is final."""
    return render(request, "submissions/_status.html", _submission_context(request, pk))


def _submission_context(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Return `submission`, `evaluation`, `challenge`, `track`, `phase`, `protocol`, `fact_sheet`, `is_organiser`.

    And, by what the reader may know: `scores` (label, text, unit by column; None when hidden), `shows_images`,
    `images` (ImageRow list; empty unless shown), `position` (rank on the board or None). `badge` is where it comes
    from, unless that is its team, and `may_delete` holds for trials alone.
    """
    assert request.user.is_authenticated
    submission = get_submission(request.user, pk)
    evaluation, phase = submission.evaluation, submission.entry.phase
    seen = visibility_for(request.user, phase)
    protocol = evaluation.scoring_version.protocol
    if evaluation.is_final:
        Notice.objects.of(request.user).filter(submission=submission).mark_read()
    return {
        "submission": submission,
        "badge": badge_of(submission),
        "may_delete": submission.is_trial and may_delete(request.user, submission),
        "evaluation": evaluation,
        "challenge": phase.track.challenge,
        "track": phase.track,
        "phase": phase,
        "protocol": protocol,
        "fact_sheet": submission.fact_sheet(),
        "is_own": submission.belongs_to(request.user),
        "is_organiser": staff_role(request.user, phase.track.challenge).reads_all,
        "shows_scores": seen.own_scores,
        "scores": shown_scores(submission, seen),
        "warnings": seen.warnings(evaluation.warnings, SCORE_DERIVED),
        "shows_images": seen.images,
        "shows_provenance": seen.provenance,
        # Columns of a subset or by formula have no value for a single image.
        "image_columns": [column for column in protocol.columns if column.subset is None and column.formula is None],
        "images": evaluation.image_rows() if seen.images else [],
        # On the whole board: not while a page asks every second and there is nothing to place yet.
        "position": position_of(submission, request.user) if evaluation.status == Status.SCORED else None,
    }


@login_required
@require_GET
def submission_list(request: HttpRequest) -> HttpResponse:
    """Render submissions/list.html: `page` of the user's submissions."""
    assert request.user.is_authenticated
    submissions = Submission.objects.of(request.user).with_current_evaluation()
    page = Paginator(submissions, SUBMISSIONS_PER_PAGE).get_page(page_number(request))
    return render(request, "submissions/list.html", {"page": page})


@login_required
@require_http_methods(["GET", "HEAD"])
def archive(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the archive back to its team, or to an organiser."""
    submission = get_submission(request.user, pk)
    return download(submission.archive_key, f"submission-{submission.pk}.zip")


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel what is queued or running; before a worker claimed it, the quota comes back."""
    submission = get_own_submission(request.user, pk)
    if submission.evaluation.cancel():
        messages.success(request, "The submission is cancelled.")
    else:
        messages.info(request, problem("already-finished").message)
    return redirect(submission)


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a trial for good; the page asks before it sends this."""
    assert request.user.is_authenticated
    submission = get_submission(request.user, pk)
    if not may_delete(request.user, submission):
        raise PermissionDenied
    try:
        delete_trial(submission, request.user)
    except Refused as refused:
        context = {**_submission_context(request, pk), "refusal": refused.problem}
        return render(request, "submissions/submission.html", context, status=409)
    messages.success(request, f"The trial {submission} is deleted.")
    return redirect("submissions")
