"""Answers to supervisors, load balancers and Prometheus."""

from __future__ import annotations

import hmac
import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client.exposition import choose_encoder

import scoring
from bayerboard.operations.metrics import registry
from bayerboard.operations.readiness import checks, verdict

if TYPE_CHECKING:
    from django.http import HttpRequest

# A proxy on this machine passes strangers on; one of these headers says so.
PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


@require_GET
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 while this process serves; it looks at nothing else, so that no outage elsewhere restarts it."""
    return JsonResponse({"status": "ok", "version": scoring.__version__})


@require_GET
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when this process can do its work, with or without a broker; 503 when it cannot, and why."""
    found = checks()
    status = verdict(found)
    return JsonResponse(
        {
            "status": status,
            "version": scoring.__version__,
            "checks": {check.name: check.to_json() for check in found},
        },
        status=HTTPStatus.SERVICE_UNAVAILABLE if status == "not-ready" else HTTPStatus.OK,
    )


@require_GET
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Show the metrics to who has the token; in the embedded mode without a token, to this machine."""
    if settings.METRICS_TOKEN:
        if not has_token(request):
            return HttpResponse(
                "Send the token: Authorization: Bearer …\n",
                status=HTTPStatus.UNAUTHORIZED,
                headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
                content_type="text/plain; charset=utf-8",
            )
    elif not (settings.EMBEDDED and comes_from_this_machine(request)):
        raise Http404("Metrics are closed: BAYERBOARD_METRICS_TOKEN is not set.")
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry()), content_type=content_type)


def has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())


def comes_from_this_machine(request: HttpRequest) -> bool:
    """Whether the request comes from a loopback address, and no proxy has passed it on."""
    if settings.HTTPS or any(name in request.headers for name in PROXY_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
