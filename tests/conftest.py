"""What every test gets: its own storage, and no broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import SettingsWrapper


@pytest.fixture(autouse=True)
def _own_storage(settings: SettingsWrapper, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "objects"
    settings.UPLOAD_DIR = settings.STORAGE_DIR / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR = str(settings.UPLOAD_DIR)
