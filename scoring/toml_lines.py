"""Where a key stands in a TOML file: Python's reader of TOML does not say."""

from __future__ import annotations

import re
from collections import Counter

_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?")
_KEY = re.compile(r"""\s*(?P<key>["']?[A-Za-z0-9_.-]+["']?)\s*=""")
_LAST_STEP = re.compile(r"(\.[^.\[\]]*|\[[0-9]+\])$")


def line_of(text: str, path: str) -> int | None:
    """Return the line, from 1, of the key that a path such as ``columns[1].direction`` names.

    Where the key is not in the file, the line of the table that lacks it; None where that is the whole file. Keys are
    found as people write them, one on a line; a key in an inline table has the line of that table's key.
    """
    lines = _lines(text)
    while path:
        if path in lines:
            return lines[path]
        shorter = _LAST_STEP.sub("", path)
        path = "" if shorter == path else shorter
    return None


def _lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    seen: Counter[str] = Counter()
    prefix = ""
    in_string = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not in_string:
            header = _HEADER.fullmatch(line)
            key = _KEY.match(line)
            if header:
                name = header["name"]
                if header["open"] == "[[":
                    seen[name] += 1
                    name = f"{name}[{seen[name] - 1}]"
                lines.setdefault(name, number)
                prefix = f"{name}."
            elif key:
                lines.setdefault(prefix + key["key"].strip("\"'"), number)
        if (line.count('"""') + line.count("'''")) % 2:
            in_string = not in_string
    return lines
