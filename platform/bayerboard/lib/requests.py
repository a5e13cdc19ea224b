"""Gives each request a number, and writes one line when it is answered."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from structlog.contextvars import bind_contextvars, clear_contextvars

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)

# Asked every few seconds by machines.
QUIET = frozenset({"/health/", "/ready/", "/metrics"})
# Parts of addresses that let their reader in: the keys in mails, signed uploads.
SECRET_PARTS = frozenset({"key", "uidb36", "token", "signature"})


class LogRequests:
    """Binds the request's id, and the submission that its address names, for every line logged on the way.

    The address is written without its query, which may hold a signature.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A thread serves one request after the other: what the last one bound is not ours. It is cleared here and not
        # at the end, since Django logs a 404 or a 500 once more when all of this is over.
        clear_contextvars()
        request_id = uuid.uuid4().hex[:16]
        bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        response = self.get_response(request)
        logger.log(
            logging.DEBUG if request.path in QUIET else logging.INFO,
            "%s %s: %d in %d ms",
            request.method,
            shown_path(request),
            response.status_code,
            1000 * (time.perf_counter() - started),
        )
        response.headers["X-Request-ID"] = request_id
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]) -> None:
        """Bind the submission, once it is known which view answers."""
        match = request.resolver_match
        if match is not None and (match.url_name or "").startswith("submission") and "pk" in kwargs:
            bind_contextvars(submission=kwargs["pk"])


def shown_path(request: HttpRequest) -> str:
    """Return the path with its secret parts cut out."""
    path, match = request.path, request.resolver_match
    for name, value in (match.kwargs if match else {}).items():
        if name in SECRET_PARTS and value:
            path = path.replace(str(value), "…")
    return path
