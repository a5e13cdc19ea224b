"""The front page, a challenge's page, a track's page, and their downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bayerboard.challenges.models import Challenge, Phase, Track, get_challenge, get_phase, get_phases, get_track
from bayerboard.leaderboards.board import board_page
from bayerboard.lib.responses import download
from bayerboard.methods.offers import offers
from bayerboard.submissions.models import Submission
from bayerboard.teams.forms import JoinForm
from bayerboard.teams.models import team_of

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

PREVIEW_ROWS = 10
RECENT_SUBMISSIONS = 5
PHASES = Phase.objects.defer("manifest_data")
PHASES_OF_TRACKS = Prefetch("tracks__phases", queryset=PHASES)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Render pages/home.html: `challenges` (with .tracks.all and each track's .phases.all), `recent` submissions."""
    recent = (
        Submission.objects.of(request.user).with_current_evaluation()[:RECENT_SUBMISSIONS]
        if request.user.is_authenticated
        else []
    )
    challenges = Challenge.objects.visible_to(request.user).prefetch_related(PHASES_OF_TRACKS)
    return render(request, "pages/home.html", {"challenges": challenges, "recent": recent})


@require_GET
def challenge(request: HttpRequest, challenge: str) -> HttpResponse:
    """Render challenges/challenge.html: `challenge`, `tracks`, `team` (or None), `join_form`."""
    return _challenge_page(request, get_challenge(request.user, challenge), None)


def _challenge_page(
    request: HttpRequest, challenge: Challenge, form: JoinForm | None, status: int = 200
) -> HttpResponse:
    context = {
        "challenge": challenge,
        "tracks": challenge.tracks.prefetch_related(Prefetch("phases", queryset=PHASES)),
        "team": team_of(request.user, challenge),
        "is_organiser": challenge.is_organised_by(request.user),
        "join_form": form or JoinForm(challenge),
    }
    return render(request, "challenges/challenge.html", context, status=status)


@require_POST
@login_required
def join(request: HttpRequest, challenge: str) -> HttpResponse:
    """Accept the terms and make a team of one."""
    assert request.user.is_authenticated
    found = get_challenge(request.user, challenge)
    if team_of(request.user, found) is not None:
        return redirect(found)
    form = JoinForm(found, request.POST)
    if not form.is_valid() or form.join(request.user) is None:
        del request.user.teams_by_challenge  # a second click may have been faster than this one
        if team_of(request.user, found) is not None:
            return redirect(found)
        return _challenge_page(request, found, form, status=400)
    messages.success(request, f"You take part in {found} now. Choose a track to make your first submission.")
    return redirect(found)


@require_GET
def track(request: HttpRequest, challenge: str, track: str) -> HttpResponse:
    """Render challenges/track.html.

    `challenge`, `track`, `protocol`, `phases`, `phase` (the one whose board is previewed: the open one, or the last),
    `board` (BoardPage of its first rows), `downloads` (released ones), `offers` (baselines to download), `team`,
    `may_download` (the inputs and downloads are for those who accepted the terms).
    """
    phases = get_phases(request.user, challenge, track, lists=True)
    found = phases[0].track if phases else get_track(request.user, challenge, track)
    phase = next((phase for phase in phases if phase.is_open()), phases[-1] if phases else None)
    context = {
        "challenge": found.challenge,
        "track": found,
        "protocol": found.protocol,
        "phases": phases,
        "phase": phase,
        "board": board_page(phase, request.user, per_page=PREVIEW_ROWS) if phase else None,
        "downloads": [item for item in found.downloads.all() if item.is_released()],
        "offers": offers(found.baselines),
        "team": team_of(request.user, found.challenge),
        "may_download": _may_download(request, found),
    }
    return render(request, "challenges/track.html", context)


def _may_download(request: HttpRequest, track: Track) -> bool:
    challenge = track.challenge
    return team_of(request.user, challenge) is not None or challenge.is_organised_by(request.user)


@require_http_methods(["GET", "HEAD"])
@login_required
def download_file(request: HttpRequest, challenge: str, track: str, pk: int) -> HttpResponseBase:
    """Send a track's download to those who accepted the terms."""
    found = get_track(request.user, challenge, track)
    item = found.downloads.filter(pk=pk).first()
    if item is None or not (item.is_released() or found.challenge.is_organised_by(request.user)):
        raise Http404("There is no such download.")
    if not _may_download(request, found):
        return _join_first(request, found)
    return download(item.storage_key, item.filename)


@require_http_methods(["GET", "HEAD"])
@login_required
def inputs(request: HttpRequest, challenge: str, track: str, phase: str) -> HttpResponseBase:
    """Send a phase's inputs, once they are released, to those who accepted the terms."""
    found = get_phase(request.user, challenge, track, phase)
    organiser = found.track.challenge.is_organised_by(request.user)
    if found.input_set is None or not (found.inputs_are_released() or organiser):
        raise Http404("The inputs of this phase are not released yet.")
    if not _may_download(request, found.track):
        return _join_first(request, found.track)
    return download(found.input_set.storage_key, found.input_set.filename)


def _join_first(request: HttpRequest, track: Track) -> HttpResponse:
    messages.info(request, "Join the challenge first: its data is for those who accepted the terms.")
    return redirect(track.challenge)
