"""Baselines to download."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from bayerboard.challenges.models import get_track
from bayerboard.methods.offers import offers


@require_http_methods(["GET", "HEAD"])
def method_zip(request: HttpRequest, challenge: str, track: str, method: str) -> HttpResponse:
    """Send the method's code, card and README as a zip."""
    found = get_track(request.user, challenge, track)
    offer = next((offer for offer in offers(found.baselines) if offer.method.name == method), None)
    if offer is None:
        raise Http404("This track has no such baseline.")
    headers = {"Content-Disposition": f'attachment; filename="{offer.filename}"'}
    return HttpResponse(offer.archive, content_type="application/zip", headers=headers)
