"""Protocols and manifests as the database keeps them, parsed once: pages ask for the same few again and again."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from scoring.manifest import Manifest
from scoring.protocol import Protocol

# Both are immutable, and told apart by all of their text: a change is another text. A manifest of 480 images takes
# 10 ms to check and half a megabyte to keep.
_KEPT = 32


def protocol_of(data: dict[str, Any]) -> Protocol:
    return _protocol(json.dumps(data))


def manifest_of(data: dict[str, Any]) -> Manifest:
    return _manifest(json.dumps(data))


@lru_cache(maxsize=_KEPT)
def _protocol(text: str) -> Protocol:
    return Protocol.from_json(json.loads(text))


@lru_cache(maxsize=_KEPT)
def _manifest(text: str) -> Manifest:
    return Manifest.from_json(json.loads(text))
