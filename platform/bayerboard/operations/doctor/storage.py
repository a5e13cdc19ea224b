"""The storage: a real object there and back, and room for more."""

from __future__ import annotations

import shutil
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from bayerboard.lib.storage import LocalDisk, ObjectStore, StorageUnavailable, object_store
from bayerboard.operations.doctor.finding import Area, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = Area("storage")
CONTENT = b"Bayerboard's doctor was here."
FREE_WARNING_BYTES, FREE_PROBLEM_BYTES = 10 * 2**30, 2**30
SIGNED_FOR_S = 60
FAILURES = (OSError, StorageUnavailable)


def look() -> Iterator[Finding]:
    """Write, read and remove an object; send one to a signed address where there are such; look at the disks."""
    store = object_store()
    key = f"doctor/{uuid.uuid4().hex}"
    try:
        yield _round_trip(store, key)
        yield _signed_put(store, f"{key}-signed")
    except FAILURES as error:
        where = "BAYERBOARD_STORAGE" if isinstance(store, LocalDisk) else "BAYERBOARD_S3_* and AWS_*"
        yield AREA.problem("write and read", f"failed ({type(error).__name__})", f"Look at {where}, and at its server.")
    for name, folder in {"data": settings.DATA_DIR, "storage": settings.STORAGE_DIR}.items():
        yield _room(name, folder)


def _round_trip(store: ObjectStore, key: str) -> Finding:
    settings.UPLOAD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=settings.UPLOAD_DIR, delete=False) as file:
        file.write(CONTENT)
    try:
        store.put(key, Path(file.name))
        with store.open(key) as stored:
            is_same = stored.read() == CONTENT
    finally:
        Path(file.name).unlink(missing_ok=True)
        store.delete(key)
    if not is_same:
        return AREA.problem("write and read", "other bytes came back", "Use another: this one changes what it keeps.")
    return AREA.ok("write and read", f"an object went there and back ({type(store).__name__})")


def _signed_put(store: ObjectStore, key: str) -> Finding:
    """Send bytes to a signed address, as a browser does with a part of its archive."""
    parts_id = store.open_parts(key, len(CONTENT), len(CONTENT))
    try:
        address = store.part_url(key, parts_id, 1, len(CONTENT), SIGNED_FOR_S)
        if address is None:
            return AREA.ok("signed upload", "parts go through the site itself")
        request = urllib.request.Request(address, data=CONTENT, method="PUT")  # noqa: S310 - our storage's own address
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - likewise
            answer.read()
        if [part.size_bytes for part in store.list_parts(key, parts_id)] != [len(CONTENT)]:
            return AREA.problem("signed upload", "the part did not arrive", "Look at the storage's own log.")
        return AREA.ok("signed upload", "a part went to a signed address")
    except urllib.error.HTTPError as error:
        return AREA.problem(
            "signed upload",
            f"refused with {error.code}",
            "Compare the clocks, the keys, and BAYERBOARD_S3_PUBLIC_URL with the address of the server.",
        )
    finally:
        store.abort_parts(key, parts_id)


def _room(name: str, folder: Path) -> Finding:
    free_bytes = shutil.disk_usage(folder).free
    says = f"{free_bytes / 2**30:.1f} GiB free"
    if free_bytes < FREE_PROBLEM_BYTES:
        return AREA.problem(f"room for {name}", says, f"Make room on the disk of {folder}.")
    if free_bytes < FREE_WARNING_BYTES:
        return AREA.warning(f"room for {name}", says, f"Make room on the disk of {folder} soon.")
    return AREA.ok(f"room for {name}", says)
