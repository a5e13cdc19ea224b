"""The front page, a challenge's page, joining, and a track's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from bayerboard.challenges.access import (
    get_challenge,
    get_phases,
    get_track,
)
from bayerboard.challenges.models import Challenge, Phase
from bayerboard.challenges.roles import staff_role
from bayerboard.leaderboards.board import board_page
from bayerboard.leaderboards.models import ranking_columns
from bayerboard.pages.offers import offers
from bayerboard.submissions.models import Submission
from bayerboard.teams.access import known_manifest, may_download
from bayerboard.teams.forms import JoinForm
from bayerboard.teams.models import forget_teams, role_of, team_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

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
        "is_organiser": staff_role(request.user, challenge).reads_all,
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
        forget_teams(request.user)  # a second click may have been faster than this one
        if team_of(request.user, found) is not None:
            return redirect(found)
        return _challenge_page(request, found, form, status=400)
    messages.success(request, f"You take part in {found} now. Choose a track to make your first submission.")
    return redirect(found)


@require_GET
def track(request: HttpRequest, challenge: str, track: str) -> HttpResponse:
    """Render challenges/track.html.

    `challenge`, `track`, `protocol`, `phases`, `phase` (the one whose board is previewed: the open one, or the last),
    `ranked_by` (columns), `board` (BoardPage of its first rows), `manifest` (empty while the inputs are not for this
    reader), `downloads` (released ones), `offers` (baselines to download), `team`, `may_download` (the inputs and
    downloads are for those who accepted the terms), `sends_trials`.
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
        "ranked_by": ranking_columns(found.protocol, as_shown=phase.compares_as_shown) if phase else (),
        "board": board_page(phase, request.user, per_page=PREVIEW_ROWS) if phase else None,
        "manifest": known_manifest(request.user, phase) if phase else None,
        "downloads": [item for item in found.downloads.all() if item.is_released()],
        "offers": offers(found.baselines),
        "team": team_of(request.user, found.challenge),
        "may_download": may_download(request.user, found.challenge),
        "sends_trials": role_of(request.user, found.challenge).may_organise,
    }
    return render(request, "challenges/track.html", context)
