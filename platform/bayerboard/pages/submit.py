"""The submit page: the form, and the submission of an archive that comes with it or was uploaded before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from bayerboard.challenges.access import get_phase
from bayerboard.lib.refusals import Refused, storage_problem
from bayerboard.lib.responses import AnswerFirst
from bayerboard.lib.storage import StorageFull, StorageUnavailable
from bayerboard.lib.storage.files import raises_storage_full
from bayerboard.pages.submit_form import SubmitForm, sent_key
from bayerboard.submissions.submit import (
    About,
    Sent,
    check_accepts,
    find_earlier,
    quota_of,
    submit,
    submit_upload,
)
from bayerboard.teams.access import known_manifest
from bayerboard.teams.origin import Origin
from bayerboard.teams.senders import Sender, sender_of
from bayerboard.uploads.models import State, Upload, size_limit_bytes
from bayerboard.uploads.receiving import (
    BoundedUploadHandler,
    is_surely_too_large,
    read_fields_alone,
    receive_on_disk,
)
from scoring.problems import Problem, problem

if TYPE_CHECKING:
    from datetime import datetime

    from bayerboard.challenges.models import Phase


# The body is read in `_receive`, where the token is checked: reading it here would take the upload in before anybody
# asked who sends it, and how large it may be.
@csrf_exempt
@login_required
@require_http_methods(["GET", "POST"])
def submit_page(request: HttpRequest, challenge: str, track: str, phase: str) -> HttpResponse:
    """Show the form, or take a submission.

    Renders submissions/submit.html: `challenge`, `track`, `phase`, `protocol`, `manifest` (empty while the inputs are
    not for this reader), `team`, `is_trial`, `quota` (None where none holds), `form`, `refusal` (a Problem or None),
    `can_submit`.
    """
    opened_at = timezone.now()
    found = get_phase(request.user, challenge, track, phase)
    sender, reason = _look(request, found, opened_at)
    if request.method != "POST":
        return _form_page(request, found, sender, SubmitForm(), reason)
    limit_bytes = size_limit_bytes(found, sender.origin) if sender else found.max_archive_bytes
    body_bytes = int(request.META.get("CONTENT_LENGTH") or 0)
    if reason is None and is_surely_too_large(body_bytes, limit_bytes):
        reason = problem("archive-too-large", size_bytes=body_bytes, limit_bytes=limit_bytes)
    if sender is None or reason is not None:
        return AnswerFirst(request, _refuse(request, found, sender, reason))
    handler = receive_on_disk(request, limit_bytes)
    try:
        with raises_storage_full():
            return _receive(request, found, sender, handler, opened_at)
    except StorageFull as error:
        page = _form_page(request, found, sender, SubmitForm(), storage_problem(error), status=503)
        return AnswerFirst(request, page)
    finally:
        handler.drop_unfinished()


def _look(request: HttpRequest, phase: Phase, opened_at: datetime) -> tuple[Sender | None, Problem | None]:
    """Return as what the reader would send an archive, if at all, and why nothing is taken now."""
    sender = None
    try:
        sender = sender_of(request.user, phase.track.challenge)
        check_accepts(phase, sender.team, sender.origin, opened_at)
    except Refused as refused:
        return sender, refused.problem
    return sender, None


def _refuse(request: HttpRequest, phase: Phase, sender: Sender | None, reason: Problem | None) -> HttpResponse:
    """Say why nothing is taken, unless it was taken before, or was uploaded before the phase closed."""
    read_fields_alone(request)
    try:
        key = sent_key(request)
        has_upload = bool(request.POST.get("upload"))
    except UnreadablePostError:
        return HttpResponse(status=400)
    if sender is not None:
        earlier = find_earlier(phase, sender.team, key) if key and sender.team else None
        if earlier is not None:
            return redirect(earlier)
        if has_upload:
            return _submit_uploaded(request, phase, sender)
    too_large = reason is not None and reason.code == "archive-too-large"
    return _form_page(request, phase, sender, SubmitForm(), reason, status=400 if too_large else 403)


@csrf_protect
def _submit_uploaded(request: HttpRequest, phase: Phase, sender: Sender) -> HttpResponse:
    """Take a submission whose archive was uploaded in parts: the form names it."""
    form = SubmitForm(request.POST)
    if not form.is_valid():
        return _form_page(request, phase, sender, form, None, status=400)
    assert request.user.is_authenticated
    # Of the sender's origin alone: a trial that a teammate submitted would be nobody's, and the other way round it
    # would be ranked.
    uploads = Upload.objects.select_related("team").filter(phase=phase, team=sender.team, origin=sender.origin)
    upload = uploads.filter(pk=form.cleaned_data["upload"]).first()
    if upload is None or not upload.belongs_to(request.user):
        return _form_page(request, phase, sender, form, problem("upload-unknown"), status=400)
    if upload.state != State.COMPLETE:
        return _form_page(request, phase, sender, form, problem("upload-not-complete"), status=400)
    try:
        submission = submit_upload(upload, request.user, _about(request, form))
    except Refused as refused:
        return _form_page(request, phase, sender, form, refused.problem, status=403)
    return redirect(submission)


def _about(request: HttpRequest, form: SubmitForm) -> About:
    return About(
        method_name=form.cleaned_data["method_name"],
        description=form.cleaned_data["description"],
        idempotency_key=sent_key(request) or form.cleaned_data["idempotency_key"],
    )


@csrf_protect
def _receive(
    request: HttpRequest, phase: Phase, sender: Sender, handler: BoundedUploadHandler, opened_at: datetime
) -> HttpResponse:
    try:
        form, archive = SubmitForm(request.POST), request.FILES.get("archive")
    except UnreadablePostError:
        # The connection broke; there is probably nobody left to read this.
        return HttpResponse(status=400)
    if form.data.get("upload"):
        return _submit_uploaded(request, phase, sender)
    reason = _archive_refusal(request, handler)
    if reason is not None or not form.is_valid() or not isinstance(archive, TemporaryUploadedFile):
        return _form_page(request, phase, sender, form, reason, status=400)
    sent = Sent(
        archive=Path(archive.temporary_file_path()),
        archive_name=archive.name or "submission.zip",
        opened_at=opened_at,
        **vars(_about(request, form)),
    )
    assert request.user.is_authenticated
    try:
        submission = submit(phase, sender.make_team(), request.user, sent, origin=sender.origin)
    except Refused as refused:
        return _form_page(request, phase, sender, form, refused.problem, status=403)
    except StorageUnavailable as error:
        return _form_page(request, phase, sender, form, storage_problem(error), status=503)
    return redirect(submission)


def _archive_refusal(request: HttpRequest, handler: BoundedUploadHandler) -> Problem | None:
    """Say why what arrived cannot be taken."""
    archive = request.FILES.get("archive")
    name, body_bytes = handler.file_name or None, int(request.META.get("CONTENT_LENGTH") or 0)
    if handler.too_large:
        return problem("archive-too-large", file=name, size_bytes=body_bytes, limit_bytes=handler.limit_bytes)
    # The form's last field: without it, the end of the body never came.
    if "complete" not in request.POST:
        received = handler.received_bytes
        return problem("upload-incomplete", file=name, received_bytes=received, size_bytes=body_bytes)
    if archive is None:
        return problem("archive-missing")
    if archive.size == 0:
        return problem("archive-empty", file=archive.name)
    return None


def _form_page(
    request: HttpRequest,
    phase: Phase,
    sender: Sender | None,
    form: SubmitForm,
    reason: Problem | None,
    status: int = 200,
) -> HttpResponse:
    team = sender.team if sender else None
    has_quota = sender is not None and sender.origin.rules.has_quota
    context = {
        "challenge": phase.track.challenge,
        "track": phase.track,
        "phase": phase,
        "protocol": phase.track.protocol,
        "manifest": known_manifest(request.user, phase),
        "team": team,
        "is_trial": sender is not None and sender.origin == Origin.TRIAL,
        "quota": quota_of(phase, team) if team and has_quota else None,
        "form": form,
        "refusal": reason,
        "can_submit": _look(request, phase, timezone.now())[1] is None,
    }
    return render(request, "submissions/submit.html", context, status=status)
