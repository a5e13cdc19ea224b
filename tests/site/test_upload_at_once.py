"""Requests for uploads that come at the same moment."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pytest
from django.db import connections

from bayerboard.lib.storage import object_store
from bayerboard.submissions.models import Submission
from bayerboard.uploads.models import UNSUBMITTED_AT_MOST, Upload
from tests.site import uploading
from tests.site.stored import archives, leftovers

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from tests.factories import Cast

T = TypeVar("T")
PART = 100_000
CONTENT = os.urandom(5 * PART + 345)

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _small_parts(settings: Settings) -> None:
    settings.UPLOAD_PART_BYTES = PART


def at_once(*calls: Callable[[], T]) -> list[T]:
    def call(one: Callable[[], T]) -> T:
        try:
            return one()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def test_the_number_of_open_uploads_is_counted_one_after_the_other(cast: Cast) -> None:
    answers = at_once(*[lambda: uploading.open_upload(cast, 5).status_code] * (UNSUBMITTED_AT_MOST + 3))

    assert sorted(answers) == [201] * UNSUBMITTED_AT_MOST + [429] * 3
    assert Upload.objects.count() == UNSUBMITTED_AT_MOST


def test_parts_arrive_at_once_and_more_than_once(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))

    etags = at_once(*[lambda n=n: uploading.send_part(cast, upload, CONTENT, n) for n in (1, 2, 3, 4, 5, 6, 3, 2)])

    parts = [{"number": number, "etag": etag} for number, etag in enumerate(etags[:6], start=1)]
    assert uploading.complete(cast, upload, parts).status_code == 200
    with object_store().open(upload.archive_key) as stored:
        assert stored.read() == CONTENT


def test_completing_at_once_makes_one_archive(cast: Cast) -> None:
    upload = uploading.begin(cast, len(CONTENT))
    parts = uploading.send_parts(cast, upload, CONTENT)

    answers = at_once(*[lambda: uploading.complete(cast, upload, parts).json()] * 4)

    assert answers == [{"upload": str(upload.pk), "state": "complete", "size_bytes": len(CONTENT)}] * 4
    assert len(archives()) == 1
    assert leftovers() == []


def test_submitting_at_once_makes_one_submission(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)

    answers = at_once(
        *[lambda n=n: uploading.submit(cast, upload, idempotency_key=f"key-number-{n}")["Location"] for n in range(4)]
    )

    assert set(answers) == {Submission.objects.get().get_absolute_url()}


def test_aborting_and_submitting_at_once_is_one_of_the_two(cast: Cast) -> None:
    upload = uploading.uploaded(cast, CONTENT)

    at_once(lambda: uploading.submit(cast, upload), lambda: upload.abort())

    assert Submission.objects.count() == len(archives())
