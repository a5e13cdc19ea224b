"""Answers that carry a stored object, and answers that go out before the request has come in."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.utils.cache import add_never_cache_headers

from bayerboard.lib.storage import object_store

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# A sender of more than this is not waiting for an answer.
DRAIN_AT_MOST_BYTES = 2 * 2**30
DRAIN_CHUNK_BYTES = 2**20


def download(key: str, filename: str) -> HttpResponseBase:
    """Send an object as a download: from the storage itself, or as a stream; the caller has checked who may have it."""
    store = object_store()
    content_type = "application/zip" if filename.endswith(".zip") else "application/octet-stream"
    url = store.download_url(key, filename, content_type)
    try:
        if url is None:
            handle = store.open(key)
            return FileResponse(handle, as_attachment=True, filename=filename, content_type=content_type)
        store.size_bytes(key)
    except FileNotFoundError:
        raise Http404("The file is not in the storage any more.") from None
    redirect = HttpResponseRedirect(url)
    # The address is for one reader and a few minutes.
    add_never_cache_headers(redirect)
    return redirect


class AnswerFirst(HttpResponse):
    """An answer that goes out while the body may still be coming; the rest is read afterwards, and dropped.

    A program that listens while it sends can stop at once. A browser does not listen, and a server that closed the
    connection under it would make it show its own error instead of the answer.
    """

    def __init__(self, request: HttpRequest, answer: HttpResponse) -> None:
        super().__init__(answer.content, status=answer.status_code, headers=dict(answer.headers))
        self.cookies = answer.cookies
        self._request = request

    def close(self) -> None:
        left = DRAIN_AT_MOST_BYTES
        with suppress(UnreadablePostError):
            while left > 0 and (chunk := self._request.read(DRAIN_CHUNK_BYTES)):
                left -= len(chunk)
        super().close()
