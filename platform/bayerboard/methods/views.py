"""Baselines to download."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from baselines.catalogue import get_method
from bayerboard.challenges.models import get_track


@require_http_methods(["GET", "HEAD"])
def method_zip(request: HttpRequest, challenge: str, track: str, method: str) -> HttpResponse:
    """Send the method's code, card and README as a zip: the same bytes every time."""
    found = get_track(request.user, challenge, track)
    if method not in found.baselines:
        raise Http404("This track has no such baseline.")
    archive = get_method(method).download()
    headers = {"Content-Disposition": f'attachment; filename="{method}.zip"'}
    return HttpResponse(archive.data, content_type="application/zip", headers=headers)
