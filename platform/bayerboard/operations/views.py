"""What supervisors and load balancers ask."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

import scoring


@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the site serves and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok", "version": scoring.__version__})
