"""The bucket is made, with its rules, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from bayerboard.lib.storage import object_store
from bayerboard.operations.management.commands.prepare_bucket import cors
from tests.s3_server import S3Server

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings


@pytest.mark.processes
def test_a_bucket_is_made_once_and_can_be_written(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with S3Server(tmp_path / "s3") as server:
        settings.S3 = server.address("bayerboard")
        call_command("prepare_bucket")
        call_command("prepare_bucket")
        file = tmp_path / "file"
        file.write_bytes(b"an object")
        object_store().put("archives/one.zip", file)
        assert object_store().exists("archives/one.zip")

    said = capsys.readouterr().out
    assert "Made the bucket bayerboard." in said
    assert "The bucket bayerboard is there." in said


def test_a_folder_needs_none() -> None:
    with pytest.raises(CommandError, match="objects lie in a folder"):
        call_command("prepare_bucket")


def test_browsers_may_send_from_the_sites_own_pages_alone() -> None:
    (rule,) = cors(["https://challenge.example.org"])["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://challenge.example.org"]
    assert (rule["AllowedMethods"], rule["ExposeHeaders"]) == (["PUT"], ["ETag"])
