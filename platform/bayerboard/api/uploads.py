"""Uploads in parts: open, sign a part, list the parts, complete, abort; one protocol for both storages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParser
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bayerboard.api.answers import api, for_members, read_json
from bayerboard.challenges.access import get_phase
from bayerboard.lib.refusals import Refused
from bayerboard.lib.storage import LocalDisk, PartsGone, WrongPartSize, object_store
from bayerboard.submissions.submit import check_accepts
from bayerboard.teams.senders import sender_of
from bayerboard.uploads.models import Upload, get_upload, open_upload, wrong_part_size
from bayerboard.uploads.signing import is_signed, part_data_url
from scoring.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.http import HttpRequest

CHUNK_BYTES = 256 * 1024
LARGEST_SIZE = 2**63 - 1  # what a column holds


@require_POST
@api
@for_members
def open_view(request: HttpRequest, challenge: str, track: str, phase: str) -> HttpResponse:
    """Begin an upload: `filename` and `size_bytes` in, the upload and the plan of its parts out."""
    found = get_phase(request.user, challenge, track, phase)
    sender = sender_of(request.user, found.track.challenge)
    check_accepts(found, sender.team, sender.origin, timezone.now())
    filename, size_bytes = _announced(read_json(request))
    assert request.user.is_authenticated
    upload = open_upload(found, sender.make_team(), request.user, filename, size_bytes, origin=sender.origin)
    return JsonResponse(_plan(upload), status=201)


def _announced(data: dict[str, Any]) -> tuple[str, int]:
    name, size_bytes = data.get("filename"), data.get("size_bytes")
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or not 0 <= size_bytes <= LARGEST_SIZE:
        raise Refused(problem("upload-request-invalid", reason="size_bytes is not a size in bytes"))
    if not isinstance(name, str):
        raise Refused(problem("upload-request-invalid", reason="filename is not a text"))
    return clean_filename(name), size_bytes


def clean_filename(name: str) -> str:
    """Return the name as one that comes with a form: without folders, unprintable characters and excess length."""
    printable = name.encode("utf-8", "replace").decode()
    cleaned = MultiPartParser.sanitize_file_name(None, printable)  # type: ignore[arg-type]  # uses no `self`
    return UploadedFile(name=cleaned).name or "submission.zip"


def _plan(upload: Upload) -> dict[str, Any]:
    return {
        "upload": str(upload.pk),
        "state": upload.state,
        "filename": upload.filename,
        "size_bytes": upload.announced_bytes,
        "part_size_bytes": upload.part_size_bytes,
        "part_count": upload.part_count,
        "finish_before": upload.finish_before.isoformat(),
        "submission": upload.submission_id,
    }


@require_GET
@api
@for_members
def parts_view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """List the parts that have arrived: a browser that lost its connection sends the rest."""
    upload = get_upload(request.user, pk)
    parts = [{"number": part.number, "size_bytes": part.size_bytes, "etag": part.etag} for part in upload.arrived()]
    return JsonResponse({**_plan(upload), "parts": parts})


@require_POST
@api
@for_members
def sign_view(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    """Give a signed address for one part, which expires."""
    upload = get_upload(request.user, pk)
    url = upload.part_url(number) or request.build_absolute_uri(part_data_url(upload.pk, number))
    return JsonResponse({"url": url, "method": "PUT", "headers": {}})


# The signed address is the permission, as with S3: it is good for one part of one upload, and for minutes.
@csrf_exempt
@require_http_methods(["PUT"])
@api
def part_data_view(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    """Take a part in on the local disk, in chunks; its hash goes back as ETag."""
    store = object_store()
    if not is_signed(pk, number, request.GET.get("token", "")) or not isinstance(store, LocalDisk):
        raise Refused(problem("upload-address-expired"))
    upload = get_object_or_404(Upload, pk=pk)
    upload.check_open()
    size_bytes = upload.bytes_of_part(number)
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced != size_bytes:
        raise wrong_part_size(number, announced, size_bytes)
    try:
        part = store.write_part(upload.parts_id, number, size_bytes, _chunks(request))
    except WrongPartSize as wrong:
        raise wrong_part_size(number, wrong.received_bytes, size_bytes) from None
    except PartsGone:
        upload.refresh_from_db(fields=["state"])
        raise Refused(problem("upload-ended", file=upload.filename, state=upload.state)) from None
    return HttpResponse(headers={"ETag": part.etag})


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    """Read the body bit by bit; a connection that breaks ends it early, and the part is then too short."""
    try:
        yield from iter(partial(request.read, CHUNK_BYTES), b"")
    except UnreadablePostError:
        return


@require_POST
@api
@for_members
def complete_view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make the archive of its parts; repeated, it answers the same."""
    upload = get_upload(request.user, pk)
    upload.complete(_etags(read_json(request)))
    return JsonResponse({"upload": str(upload.pk), "state": upload.state, "size_bytes": upload.size_bytes})


def _etags(data: dict[str, Any]) -> dict[int, str]:
    parts = data.get("parts", [])
    try:
        return {int(part["number"]): str(part["etag"]) for part in parts}
    except (TypeError, KeyError, ValueError, OverflowError):
        raise Refused(problem("upload-request-invalid", reason="parts is not a list of number and etag")) from None


@require_http_methods(["DELETE"])
@api
@for_members
def upload_view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Give the upload up, and remove its parts."""
    upload = get_upload(request.user, pk)
    upload.abort()
    upload.refresh_from_db(fields=["state"])
    return JsonResponse({"upload": str(upload.pk), "state": upload.state})
