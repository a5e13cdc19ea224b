"""Receives an archive in a form: bounded while it arrives, on the storage's own disk, never in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler

if TYPE_CHECKING:
    from django.http import HttpRequest


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Counts what arrives, whatever was declared, and stops at the limit."""

    def __init__(self, request: HttpRequest, limit_bytes: int) -> None:
        super().__init__(request)
        self.limit_bytes = limit_bytes
        self.received_bytes = 0
        self.too_large = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received_bytes += len(raw_data)
        if self.received_bytes > self.limit_bytes:
            self.too_large = True
            self.file.close()
            # The rest is read and dropped, so that the browser gets to see the answer.
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)


def receive_on_disk(request: HttpRequest, limit_bytes: int) -> BoundedUploadHandler:
    """Set up the request for a bounded upload; call before anything reads its body."""
    settings.UPLOAD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = BoundedUploadHandler(request, limit_bytes)
    request.upload_handlers = [handler]
    return handler
