"""What every test gets: its own storage, and no broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from tests.factories import Cast, make_cast

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings


@pytest.fixture(autouse=True)
def _own_storage(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "objects"
    settings.UPLOAD_DIR = settings.STORAGE_DIR / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR = str(settings.UPLOAD_DIR)


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test stores need not survive one, and waiting for the disk took a third of the time."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _forget_rate_limits() -> None:
    """Sign-ups and sign-ins are limited by address, and every test comes from the same one."""
    cache.clear()


@pytest.fixture(autouse=True)
def published(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Collect (name, arguments) of the published tasks; nothing reaches a broker that happens to run here."""
    sent: list[tuple[str, dict[str, Any]]] = []
    if "processes" not in request.keywords and "browser" not in request.keywords:

        def send_task(name: str, kwargs: dict[str, Any], **options: Any) -> None:
            sent.append((name, kwargs))

        monkeypatch.setattr("bayerboard.lib.tasks.app.send_task", send_task)
    return sent


@pytest.fixture
def cast(db: None, tmp_path: Path) -> Cast:
    """The people of a challenge with a phase that is open and whose leaderboard is open."""
    return make_cast(tmp_path)
