"""The commands of ``python -m scoring``, a module each.

A command's module has ``DESCRIPTION`` and ``EXAMPLES`` for its help, ``configure(parser)``, which adds its arguments,
and ``run(options)``, which returns the exit status. It is imported when it is asked for: scoring does not wait for
modules that only rendering needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each command's name, which is its module's, and its purpose in a line.
COMMANDS: Mapping[str, str] = {
    "score": "score a submission against a reference set",
    "check": "check a submission's form: names, shapes, types",
    "compare": "tell which of two submissions is better, and whether the difference is real",
    "render": "turn packed RAW images into PNG, or show where they differ from the reference",
    "protocols": "list the protocols, or explain one",
    "problems": "list every problem that may be reported",
}
