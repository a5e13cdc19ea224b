"""``make chaos``: what the tests share with it needs Django's models, which need Django first."""

from __future__ import annotations

import os

import django
from django.utils.module_loading import import_string


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bayerboard.settings")
    django.setup()
    status: int = import_string("tests.chaos.long.main")()
    return status


if __name__ == "__main__":
    raise SystemExit(main())
