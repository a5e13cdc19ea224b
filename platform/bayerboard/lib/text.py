"""Values in words."""

from __future__ import annotations


def shown_duration(seconds: int) -> str:
    """Return 90 as `90 s` and 1800 as `30 min`: the largest unit that needs no fraction."""
    for unit, length_s in (("h", 3600), ("min", 60)):
        if seconds and seconds % length_s == 0:
            return f"{seconds // length_s} {unit}"
    return f"{seconds} s"
