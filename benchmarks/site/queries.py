"""Counts the queries of pages: ``python -m benchmarks.site.queries COOKIE PATH…`` with the site's environment."""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment


def main(cookie: str, paths: list[str]) -> None:
    setup_test_environment()
    client = Client()
    if cookie:
        client.cookies[settings.SESSION_COOKIE_NAME] = cookie.partition("=")[2]
    counts = {}
    for path in paths:
        client.get(path)  # work that is done once for a process does not count
        with CaptureQueriesContext(connection) as captured:
            response = client.get(path)
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}")
        counts[path] = len(captured)
    print(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
