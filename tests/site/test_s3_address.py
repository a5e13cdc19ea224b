"""Where the bucket is, as the environment says it; and what the pages allow a browser to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayerboard.lib.env import SettingError
from bayerboard.lib.storage.s3_address import S3Address
from tests.site.test_settings import read

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "BAYERBOARD_S3_BUCKET",
    "BAYERBOARD_S3_REGION",
    "BAYERBOARD_S3_ENDPOINT_URL",
    "BAYERBOARD_S3_PUBLIC_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_a_bucket_objects_lie_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")  # somebody's own, for something else
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")

    assert S3Address.from_environment() is None


def test_a_server_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    values = ("bayerboard", "eu", "http://s3:8333/", "https://files.example.org", "an id", "a secret")
    for name, value in zip(NAMES, values, strict=True):
        monkeypatch.setenv(name, value)

    address = S3Address.from_environment()

    assert address == S3Address("bayerboard", "eu", "http://s3:8333", "https://files.example.org", "an id", "a secret")
    assert address is not None
    assert (address.site_url, address.browser_origin) == ("http://s3:8333", "https://files.example.org")


def test_amazons_by_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAYERBOARD_S3_BUCKET", "bayerboard")
    monkeypatch.setenv("BAYERBOARD_S3_REGION", "eu-central-2")

    address = S3Address.from_environment()

    assert address is not None
    assert address.browser_origin == "https://bayerboard.s3.eu-central-2.amazonaws.com"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BAYERBOARD_S3_ENDPOINT_URL", "s3:8333", "must look like https://HOST"),
        ("BAYERBOARD_S3_ENDPOINT_URL", "ftp://s3", "must look like https://HOST"),
        ("BAYERBOARD_S3_ENDPOINT_URL", "http://s3:many", "must look like https://HOST"),
        ("BAYERBOARD_S3_ENDPOINT_URL", "https://", "must look like https://HOST"),
        ("BAYERBOARD_S3_PUBLIC_URL", "https://files.example.org/bucket", "have nothing after that"),
        ("BAYERBOARD_S3_PUBLIC_URL", "https://ada:secret@files.example.org", "must look like https://HOST"),
        ("AWS_ACCESS_KEY_ID", "a", "set both of them, or none"),
        ("AWS_SECRET_ACCESS_KEY", "secret", "set both of them, or none"),
    ],
)
def test_what_cannot_be(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv("BAYERBOARD_S3_BUCKET", "bayerboard")
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingError, match=words) as error:
        S3Address.from_environment()

    assert name in str(error.value)
    assert "secret" not in str(error.value)


def test_a_server_without_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAYERBOARD_S3_ENDPOINT_URL", "https://s3.example.org")

    with pytest.raises(SettingError, match="BAYERBOARD_S3_BUCKET is not set"):
        S3Address.from_environment()


def test_pages_allow_the_bucket_and_nothing_else(tmp_path: Path) -> None:
    done = read(
        tmp_path,
        "CONTENT_SECURITY_POLICY",
        BAYERBOARD_S3_BUCKET="bayerboard",
        BAYERBOARD_S3_ENDPOINT_URL="http://s3:8333",
        BAYERBOARD_S3_PUBLIC_URL="https://files.example.org",
    )

    assert """'connect-src': ["'self'", 'https://files.example.org']""" in done.stdout


def test_without_a_bucket_pages_allow_the_site_alone(tmp_path: Path) -> None:
    assert "connect-src" not in read(tmp_path, "CONTENT_SECURITY_POLICY").stdout
