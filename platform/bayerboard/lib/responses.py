"""Answers that carry a stored object."""

from __future__ import annotations

from django.http import FileResponse, Http404

from bayerboard.lib.storage import object_store


def download(key: str, filename: str) -> FileResponse:
    """Stream an object as a download, never held whole in memory; the caller has checked who may have it."""
    try:
        handle = object_store().open(key)
    except FileNotFoundError:
        raise Http404("The file is not in the storage any more.") from None
    response = FileResponse(handle, as_attachment=True, filename=filename)
    response["Content-Type"] = "application/zip" if filename.endswith(".zip") else "application/octet-stream"
    return response
