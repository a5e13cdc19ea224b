"""A track's files to download."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from bayerboard.challenges.models import Download
from bayerboard.lib.storage import object_store
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


@pytest.fixture
def kit(cast: Cast, tmp_path: Path) -> Download:
    file = tmp_path / "kit.zip"
    file.write_bytes(b"starter kit")
    object_store().put("downloads/kit.zip", file)
    return Download.objects.create(
        track=cast.phase.track,
        title="Kit",
        filename="kit.zip",
        storage_key="downloads/kit.zip",
        size_bytes=11,
        sha256="0" * 64,
    )


@pytest.mark.parametrize("role", ["participant", "teammate", "rival", "organiser"])
def test_sends_the_file_to_who_accepted_the_terms(cast: Cast, kit: Download, role: str) -> None:
    response = cast.client(role).get(kit.get_absolute_url())

    assert response.getvalue() == b"starter kit"
    assert response["Content-Disposition"] == 'attachment; filename="kit.zip"'
    assert response["Content-Type"] == "application/zip"


def test_tells_a_stranger_to_join(cast: Cast, kit: Download) -> None:
    response = cast.client("stranger").get(kit.get_absolute_url())

    assert response.status_code == 302
    assert response["Location"] == cast.challenge.get_absolute_url()


def test_signed_out(cast: Cast, kit: Download) -> None:
    response = cast.client("signed_out").get(kit.get_absolute_url())

    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("role", "status"), [("participant", 404), ("rival", 404), ("stranger", 404), ("organiser", 200)]
)
def test_before_its_release_only_organisers_have_it(cast: Cast, kit: Download, role: str, status: int) -> None:
    Download.objects.update(released_at=timezone.now() + timedelta(hours=1))

    response = cast.client(role).get(kit.get_absolute_url())

    assert response.status_code == status
    response.close()


def test_the_moment_of_its_release_belongs_to_it(kit: Download, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayerboard.challenges.models.timezone.now", lambda: kit.released_at)

    assert kit.is_released()


def test_is_found_under_its_own_track_alone(cast: Cast, kit: Download, tmp_path: Path) -> None:
    other = factories.make_phase(tmp_path, cast.challenge).track

    url = f"{other.get_absolute_url()}downloads/{kit.pk}/"

    assert cast.client("participant").get(url).status_code == 404


@pytest.mark.parametrize("pk", [0, 10**30])
def test_unknown(cast: Cast, pk: int) -> None:
    url = f"{cast.phase.track.get_absolute_url()}downloads/{pk}/"

    assert cast.client("participant").get(url).status_code == 404


def test_a_file_that_is_gone_is_no_crash(cast: Cast, kit: Download) -> None:
    object_store().delete(kit.storage_key)

    assert cast.client("participant").get(kit.get_absolute_url()).status_code == 404


def test_takes_no_post(cast: Cast, kit: Download) -> None:
    assert cast.client("participant").post(kit.get_absolute_url()).status_code == 405
