"""Helpers of the upload's addresses: JSON in, JSON out, refusals with code, message and hint."""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING, Any

from django.http import Http404, JsonResponse, UnreadablePostError
from django.utils.cache import patch_cache_control

from bayerboard.lib.refusals import RETRY_AFTER_S, Refused, storage_problem
from bayerboard.lib.responses import AnswerFirst
from bayerboard.lib.storage import StorageUnavailable
from scoring.problems import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    View = Callable[..., HttpResponse]

logger = logging.getLogger(__name__)

# 403 for what the phase or the quota forbids; these are of another kind.
STATUS = {
    "not-signed-in": 401,
    "upload-unknown": 404,
    "part-unknown": 404,
    "upload-request-invalid": 400,
    "archive-empty": 400,
    "part-wrong-size": 400,
    "upload-incomplete": 409,
    "upload-ended": 409,
    "upload-expired": 410,
    "archive-too-large": 413,
    "too-many-uploads": 429,
    "storage-unavailable": 503,
    "storage-full": 507,
}


def api(view: View) -> View:
    """Answer refusals, missing objects and storage failures of a view as JSON."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Refused as refused:
            response = refuse(refused.problem)
        except Http404:
            response = refuse(problem("upload-unknown"))
        except StorageUnavailable as error:
            logger.warning("%s: storage: %s", request.path, error)
            response = refuse(storage_problem(error))
            response["Retry-After"] = str(RETRY_AFTER_S)
        patch_cache_control(response, no_store=True)
        is_refused_part = request.method == "PUT" and response.status_code >= 400
        return AnswerFirst(request, response) if is_refused_part else response

    return wrapped


def refuse(reason: Problem) -> JsonResponse:
    """Answer with the problem's code, message and hint."""
    return JsonResponse(reason.to_json(), status=STATUS.get(reason.code, 403))


def for_members(view: View) -> View:
    """Refuse who is not signed in; a program cannot do anything with the sign-in page."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            raise Refused(problem("not-signed-in"))
        return view(request, *args, **kwargs)

    return wrapped


def read_json(request: HttpRequest) -> dict[str, Any]:
    """Return the body as a JSON object; Refused for anything else."""
    try:
        data = json.loads(request.body or b"{}")
    except (ValueError, RecursionError, UnreadablePostError):
        raise Refused(problem("upload-request-invalid", reason="the body is not JSON")) from None
    if not isinstance(data, dict):
        raise Refused(problem("upload-request-invalid", reason="the body is not a JSON object"))
    return data
