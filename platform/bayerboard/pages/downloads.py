"""Downloads of a track and inputs of a phase, for those who accepted the terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from bayerboard.challenges.access import (
    get_phase,
    get_track,
)
from bayerboard.challenges.roles import staff_role
from bayerboard.lib.responses import download
from bayerboard.teams.access import inputs_refusal, may_download

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from bayerboard.challenges.models import Track


@require_http_methods(["GET", "HEAD"])
@login_required
def download_file(request: HttpRequest, challenge: str, track: str, pk: int) -> HttpResponseBase:
    """Send a track's download to those who accepted the terms."""
    found = get_track(request.user, challenge, track)
    item = found.downloads.filter(pk=pk).first()
    if item is None or not (item.is_released() or staff_role(request.user, found.challenge).reads_all):
        raise Http404("There is no such download.")
    if not may_download(request.user, found.challenge):
        return _join_first(request, found)
    return download(item.storage_key, item.filename)


@require_http_methods(["GET", "HEAD"])
@login_required
def inputs(request: HttpRequest, challenge: str, track: str, phase: str) -> HttpResponseBase:
    """Send a phase's inputs, once they are released, to those who accepted the terms."""
    found = get_phase(request.user, challenge, track, phase)
    reason = inputs_refusal(request.user, found)
    if found.input_set is None or (reason is not None and reason.code == "inputs-not-released"):
        raise Http404("The inputs of this phase are not released yet.")
    if reason is not None:
        return _join_first(request, found.track)
    return download(found.input_set.storage_key, found.input_set.filename)


def _join_first(request: HttpRequest, track: Track) -> HttpResponse:
    messages.info(request, "Join the challenge first: its data is for those who accepted the terms.")
    return redirect(track.challenge)
