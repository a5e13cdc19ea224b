"""Uploads an archive as the page's script does: open, sign, send, complete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from bayerboard.uploads.models import Upload
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.test import Client

    from tests.factories import Cast


def post(client: Client, url: str, data: Any = None) -> Any:
    return client.post(url, json.dumps(data), content_type="application/json")


def open_upload(cast: Cast, size_bytes: int, role: str = "participant", filename: str = "predictions.zip") -> Any:
    """Ask for an upload; return the answer."""
    url = f"{cast.phase.get_absolute_url()}uploads/"
    return post(cast.client(role), url, {"filename": filename, "size_bytes": size_bytes})


def begin(cast: Cast, size_bytes: int) -> Upload:
    response = open_upload(cast, size_bytes)
    assert response.status_code == 201, response.content
    return Upload.objects.get(pk=response.json()["upload"])


def sign(cast: Cast, upload: Upload, number: int, role: str = "participant") -> Any:
    return post(cast.client(role), f"/uploads/{upload.pk}/parts/{number}/")


def put(cast: Cast, url: str, data: bytes) -> Any:
    """Send bytes to a signed address of the site, without a session."""
    parts = urlsplit(url)
    return cast.client("signed_out").put(f"{parts.path}?{parts.query}", data, content_type="application/octet-stream")


def slice_of(upload: Upload, content: bytes, number: int) -> bytes:
    start = (number - 1) * upload.part_size_bytes
    return content[start : start + upload.part_size_bytes]


def send_part(cast: Cast, upload: Upload, content: bytes, number: int) -> str:
    """Send one part to where the site says; return its ETag."""
    url, data = sign(cast, upload, number).json()["url"], slice_of(upload, content, number)
    if urlsplit(url).hostname == "testserver":
        response = put(cast, url, data)
        assert response.status_code == 200, response.content
        return str(response["ETag"])
    return put_elsewhere(url, data)


def put_elsewhere(url: str | None, data: bytes) -> str:
    """Send bytes to a signed address of the storage; return the ETag."""
    assert url is not None
    with urlopen(Request(url, data, method="PUT"), timeout=PATIENCE_S) as answer:
        return str(answer.headers["ETag"])


def send_parts(
    cast: Cast, upload: Upload, content: bytes, numbers: Iterable[int] | None = None
) -> list[dict[str, Any]]:
    numbers = numbers or range(1, upload.part_count + 1)
    return [{"number": number, "etag": send_part(cast, upload, content, number)} for number in numbers]


def complete(cast: Cast, upload: Upload, parts: Any, role: str = "participant") -> Any:
    return post(cast.client(role), f"/uploads/{upload.pk}/complete/", {"parts": parts})


def uploaded(cast: Cast, content: bytes) -> Upload:
    """Upload the content whole."""
    upload = begin(cast, len(content))
    response = complete(cast, upload, send_parts(cast, upload, content))
    assert response.status_code == 200, response.content
    upload.refresh_from_db()
    return upload


def submit(cast: Cast, upload: Upload, role: str = "participant", **fields: Any) -> Any:
    """Send the form that names the upload."""
    form = {"upload": str(upload.pk), "method_name": "Learned inverse", "description": "", "complete": "1", **fields}
    return cast.client(role).post(cast.phase.submit_url(), form)
