"""Where archives, references and downloads lie: one small interface, local disk or S3 behind it."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from bayerboard.lib.storage.interface import (
    InvalidKey,
    ObjectStore,
    Part,
    PartsGone,
    StorageFull,
    StorageUnavailable,
    StoredObject,
    WrongPartSize,
)
from bayerboard.lib.storage.local_disk import LocalDisk

__all__ = [
    "InvalidKey",
    "LocalDisk",
    "ObjectStore",
    "Part",
    "PartsGone",
    "StorageFull",
    "StorageUnavailable",
    "StoredObject",
    "WrongPartSize",
    "object_store",
]


def object_store() -> ObjectStore:
    """Return the store that the settings name."""
    if settings.S3 is None:
        return LocalDisk(settings.STORAGE_DIR)
    # By its name: boto3 takes long to load, and a site without a bucket does not need it.
    store: ObjectStore = import_string("bayerboard.lib.storage.s3.S3Store")(settings.S3)
    return store
