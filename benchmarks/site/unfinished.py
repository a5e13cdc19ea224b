"""Prints how many evaluations are queued or running: ``python -m benchmarks.site.unfinished``."""

from __future__ import annotations

import django

django.setup()

from bayerboard.evaluations.models import Evaluation

if __name__ == "__main__":
    print(Evaluation.objects.unfinished().count())
