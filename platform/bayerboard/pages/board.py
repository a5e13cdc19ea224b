"""The leaderboard of a phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_GET

from bayerboard.challenges.access import get_phases, one_of
from bayerboard.challenges.roles import staff_role
from bayerboard.leaderboards.board import board_page
from bayerboard.lib.pages import page_number
from bayerboard.teams.models import role_of, team_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
def board(request: HttpRequest, challenge: str, track: str, phase: str) -> HttpResponse:
    """Render leaderboards/board.html.

    `challenge`, `track`, `phase`, `phases`, `board` (BoardPage), `team`, `is_organiser`, `sends_trials`.
    """
    phases = get_phases(request.user, challenge, track)
    found = one_of(phases, phase)
    context = {
        "challenge": found.track.challenge,
        "track": found.track,
        "phase": found,
        "phases": phases,
        "board": board_page(
            found, request.user, page_number(request), eligible_only=request.GET.get("eligible") == "1"
        ),
        "team": team_of(request.user, found.track.challenge),
        "sends_trials": role_of(request.user, found.track.challenge).may_organise,
        "is_organiser": staff_role(request.user, found.track.challenge).reads_all,
    }
    return render(request, "leaderboards/board.html", context)
