"""A track's baselines: description, scores here, and download."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from bayerboard.challenges.access import get_track
from bayerboard.pages.baseline_scores import expected_values, scores_by_method
from bayerboard.pages.offers import offers


@require_GET
def baselines(request: HttpRequest, challenge: str, track: str) -> HttpResponse:
    """Render methods/baselines.html.

    `challenge`, `track`, `protocol`, and `offers`, each with what is expected of it and its scores by phase.
    """
    found = get_track(request.user, challenge, track)
    scores = scores_by_method(found, request.user)
    context = {
        "challenge": found.challenge,
        "track": found,
        "protocol": found.protocol,
        "offers": [
            (offer, expected_values(offer.method, found.protocol), scores.get(offer.method.name, []))
            for offer in offers(found.baselines)
        ],
    }
    return render(request, "methods/baselines.html", context)


@require_http_methods(["GET", "HEAD"])
def method_zip(request: HttpRequest, challenge: str, track: str, method: str) -> HttpResponse:
    """Send the method's code, card and README as a zip."""
    found = get_track(request.user, challenge, track)
    offer = next((offer for offer in offers(found.baselines) if offer.method.name == method), None)
    if offer is None:
        raise Http404("This track has no such baseline.")
    headers = {"Content-Disposition": f'attachment; filename="{offer.filename}"'}
    return HttpResponse(offer.archive, content_type="application/zip", headers=headers)
