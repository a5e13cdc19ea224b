"""Receives an archive in a form: bounded while it arrives, on the storage's own disk, never in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload, TemporaryFileUploadHandler

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from django.http import HttpRequest

# What a form may hold beside its archive: the other fields, and what stands between them.
FIELDS_AT_MOST_BYTES = 2**20


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Counts the bytes that arrive, and stops at the limit, if there is one."""

    def __init__(self, request: HttpRequest, limit_bytes: int | None) -> None:
        super().__init__(request)
        self.limit_bytes = limit_bytes
        self.received_bytes = 0
        self.too_large = False
        self._unfinished: UploadedFile[bytes] | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._unfinished = self.file

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received_bytes += len(raw_data)
        if self.limit_bytes is not None and self.received_bytes > self.limit_bytes:
            self.too_large = True
            self.file.close()
            # The rest is read and dropped, so that the browser gets to see the answer.
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        self._unfinished = None
        return super().file_complete(file_size)

    def drop_unfinished(self) -> None:
        """Remove the file that was arriving when the connection broke: Django leaves it to the garbage collector."""
        if self._unfinished is not None:
            self._unfinished.close()


def is_surely_too_large(body_bytes: int, limit_bytes: int | None) -> bool:
    """Tell by the announced length alone that the archive cannot fit; the bytes that arrive are counted too."""
    return limit_bytes is not None and body_bytes > limit_bytes + FIELDS_AT_MOST_BYTES


def receive_on_disk(request: HttpRequest, limit_bytes: int | None) -> BoundedUploadHandler:
    """Set up the request for a bounded upload; call before anything reads its body."""
    settings.UPLOAD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = BoundedUploadHandler(request, limit_bytes)
    request.upload_handlers = [handler]
    return handler


class StoppingUploadHandler(FileUploadHandler):
    """Ends the reading where the first file begins: the form's other fields stand before it."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise StopUpload(connection_reset=True)  # what Django calls "do not read the rest"

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


def read_fields_alone(request: HttpRequest) -> None:
    """Set up the request to be read up to its first file; call before anything reads its body.

    What is answered then is an `AnswerFirst`.
    """
    request.upload_handlers = [StoppingUploadHandler(request)]
