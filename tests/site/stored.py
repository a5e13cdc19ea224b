"""What a request left behind: rows, stored archives, temporary files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from bayerboard.evaluations.models import Evaluation
from bayerboard.submissions.models import Submission

if TYPE_CHECKING:
    from pathlib import Path


def archives() -> list[Path]:
    """Return the stored archives."""
    return [path for path in (settings.STORAGE_DIR / "archives").glob("**/*") if path.is_file()]


def leftovers() -> list[Path]:
    """Return the files of uploads and of storing that should be gone by now."""
    incoming = [path for path in settings.UPLOAD_DIR.glob("**/*") if path.is_file()]
    return [*incoming, *settings.STORAGE_DIR.glob("**/.put-*")]


def assert_nothing_stored() -> None:
    assert not Submission.objects.exists()
    assert not Evaluation.objects.exists()
    assert archives() == []
    assert leftovers() == []
