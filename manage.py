#!/usr/bin/env python3
"""Bayerboard's command line: `python manage.py help` lists what it can do."""

from __future__ import annotations

import os
import sys

MISSING = """\
{error}
Bayerboard's environment is missing or is not the one in use.
`make demo` makes it (in .venv) and starts Bayerboard; afterwards: .venv/bin/python manage.py …"""


def main() -> None:
    """Run one of Django's or Bayerboard's commands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bayerboard.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 - missing before the set-up

        from bayerboard.lib.env import SettingError  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as error:
        sys.exit(MISSING.format(error=error))
    try:
        execute_from_command_line(sys.argv)
    except SettingError as error:
        sys.exit(f"Bayerboard's settings: {error}")


if __name__ == "__main__":
    main()
