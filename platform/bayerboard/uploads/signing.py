"""Signed, expiring addresses for parts that the site itself takes, as S3 signs those of a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core import signing
from django.urls import reverse
from django.utils.http import urlencode

from bayerboard.uploads.models import PART_URL_EXPIRES_S

if TYPE_CHECKING:
    from uuid import UUID

SALT = "bayerboard.uploads.part"


def part_data_url(pk: UUID, number: int) -> str:
    """Return an address to PUT this part to, and no other."""
    token = signing.dumps([str(pk), number], salt=SALT)
    return f"{reverse('upload-part-data', args=[pk, number])}?{urlencode({'token': token})}"


def is_signed(pk: UUID, number: int, token: str) -> bool:
    """Say whether the address was given out for this part, and not too long ago."""
    try:
        return bool(signing.loads(token, salt=SALT, max_age=PART_URL_EXPIRES_S) == [str(pk), number])
    except signing.BadSignature:
        return False
