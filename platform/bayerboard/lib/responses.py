"""Answers that carry a stored object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import FileResponse, Http404, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers

from bayerboard.lib.storage import object_store

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase


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
