"""Where archives, references and downloads lie: one small interface, local disk or S3 behind it."""

from __future__ import annotations

from django.conf import settings

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
from bayerboard.lib.storage.s3 import S3Address, S3Store

__all__ = [
    "InvalidKey",
    "LocalDisk",
    "ObjectStore",
    "Part",
    "PartsGone",
    "S3Store",
    "StorageFull",
    "StorageUnavailable",
    "StoredObject",
    "WrongPartSize",
    "object_store",
]


def object_store() -> ObjectStore:
    """Return the store that the settings name."""
    if not settings.S3_BUCKET:
        return LocalDisk(settings.STORAGE_DIR)
    return S3Store(
        S3Address(
            bucket=settings.S3_BUCKET,
            endpoint_url=settings.S3_ENDPOINT_URL,
            public_url=settings.S3_PUBLIC_URL,
            region=settings.S3_REGION,
            access_key_id=settings.S3_ACCESS_KEY_ID,
            secret_access_key=settings.S3_SECRET_ACCESS_KEY,
        )
    )
