"""One JSON text for one value, so that protocols and manifests have a digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(data: Any) -> bytes:
    """Return ASCII JSON with sorted keys and no blanks; ValueError for NaN and infinity, unknown to JSON."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def sha256_of_json(data: Any) -> str:
    """Return the SHA-256 of the canonical JSON text, in hexadecimal."""
    return hashlib.sha256(canonical_json(data)).hexdigest()
