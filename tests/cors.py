"""A bucket's rules for browsers, applied as S3 does: rclone, the tests' S3 server, keeps none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def cors_headers(rules: Sequence[Mapping[str, Any]], request: Mapping[str, str], method: str) -> dict[str, str]:
    """Return what the answer to a request may say by the first rule that fits; nothing where none does.

    `method` is the request's own, or of a preflight the one that it asks for.
    """
    origin = request.get("Origin", "")
    wanted = [name for name in request.get("Access-Control-Request-Headers", "").split(",") if name]
    for rule in rules:
        if _allows(rule["AllowedOrigins"], [origin]) and _allows(rule["AllowedMethods"], [method]):
            if not _allows(rule["AllowedHeaders"], wanted):
                continue
            return {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
                "Access-Control-Allow-Headers": ", ".join(wanted),
                "Access-Control-Expose-Headers": ", ".join(rule["ExposeHeaders"]),
                "Access-Control-Max-Age": str(rule["MaxAgeSeconds"]),
                "Vary": "Origin",
            }
    return {}


def _allows(allowed: Sequence[str], wanted: Sequence[str]) -> bool:
    return "*" in allowed or {name.strip().lower() for name in wanted} <= {name.lower() for name in allowed}
