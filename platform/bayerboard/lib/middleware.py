"""Answers requests that meet a storage which does not answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.shortcuts import render

from bayerboard.lib.refusals import RETRY_AFTER_S, storage_problem
from bayerboard.lib.storage import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)


class StorageFailures:
    """Answers 503 with what to do, instead of 500 with a riddle."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, StorageUnavailable):
            return None
        logger.warning("%s: storage: %s", request.path, exception)
        response = render(request, "503.html", {"problem": storage_problem(exception)}, status=503)
        response["Retry-After"] = str(RETRY_AFTER_S)
        return response
