"""The settings as a process of its own reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from pathlib import Path

ASK = "import sys; from django.conf import settings; print(*(getattr(settings, name) for name in sys.argv[1:]))"


def read(folder: Path, *names: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment = {
        **kept,
        "DJANGO_SETTINGS_MODULE": "bayerboard.settings",
        "BAYERBOARD_DATA": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-c", ASK, *names], env=environment, capture_output=True, text=True, check=False
    )


def test_outside_the_embedded_mode_there_is_no_default_secret(tmp_path: Path) -> None:
    done = read(tmp_path, "SECRET_KEY", DATABASE_URL="postgresql://ada:secret@db/x")

    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    assert not (tmp_path / "secret_key").exists()


def test_the_embedded_mode_makes_its_own(tmp_path: Path) -> None:
    assert read(tmp_path, "SECRET_KEY").stdout.strip() == (tmp_path / "secret_key").read_text()


def test_a_typo_stops_the_start(tmp_path: Path) -> None:
    done = read(tmp_path, "DEBUG", BAYERBOARD_LEASE_S="soon")

    assert done.returncode != 0
    assert "BAYERBOARD_LEASE_S must be a whole number, not 'soon'." in done.stderr


def test_cookies_are_for_https_alone_where_there_is_https(tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")

    done = read(tmp_path, *names, BAYERBOARD_HTTPS="yes")

    assert done.stdout.split() == ["True"] * len(names)


def test_one_proxy_is_believed_where_there_is_https_and_none_else(tmp_path: Path) -> None:
    name = "ALLAUTH_TRUSTED_PROXY_COUNT"
    counts = [
        read(tmp_path, name, **variables).stdout.strip()
        for variables in ({}, {"BAYERBOARD_HTTPS": "yes"}, {"BAYERBOARD_HTTPS": "yes", "BAYERBOARD_PROXIES": "2"})
    ]

    assert counts == ["0", "1", "2"]


def test_debugging_is_off() -> None:
    assert settings.DEBUG is False
