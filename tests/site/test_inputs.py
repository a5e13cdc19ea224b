"""A phase's inputs."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from tests import factories

if TYPE_CHECKING:
    from tests.factories import Cast


@pytest.mark.parametrize("role", ["participant", "teammate", "rival", "organiser"])
def test_sends_the_images_to_who_accepted_the_terms(cast: Cast, role: str) -> None:
    response = cast.client(role).get(cast.phase.inputs_url())

    with zipfile.ZipFile(BytesIO(response.getvalue())) as archive:
        assert archive.namelist() == [f"{name}.jpg" for name in factories.NAMES]


def test_tells_a_stranger_to_join(cast: Cast) -> None:
    response = cast.client("stranger").get(cast.phase.inputs_url())

    assert response["Location"] == cast.challenge.get_absolute_url()


def test_signed_out(cast: Cast) -> None:
    assert cast.client("signed_out").get(cast.phase.inputs_url())["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    "dates",
    [{"inputs_released_at": timedelta(hours=1)}, {"starts_at": timedelta(hours=1)}],
    ids=["later than the start", "with the start"],
)
@pytest.mark.parametrize(
    ("role", "status"), [("participant", 404), ("teammate", 404), ("stranger", 404), ("organiser", 200)]
)
def test_before_their_release_only_organisers_have_them(
    cast: Cast, dates: dict[str, timedelta], role: str, status: int
) -> None:
    type(cast.phase).objects.update(**{name: timezone.now() + delay for name, delay in dates.items()})

    response = cast.client(role).get(cast.phase.inputs_url())

    assert response.status_code == status
    response.close()


def test_a_phase_without_inputs(cast: Cast) -> None:
    type(cast.phase).objects.update(input_set=None)

    assert cast.client("organiser").get(cast.phase.inputs_url()).status_code == 404


def test_unknown_phase(cast: Cast) -> None:
    url = f"{cast.phase.track.get_absolute_url()}nothing/inputs.zip"

    assert cast.client("participant").get(url).status_code == 404


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("participant").post(cast.phase.inputs_url()).status_code == 405


def test_head_sends_no_body(cast: Cast) -> None:
    response = cast.client("participant").head(cast.phase.inputs_url())

    assert response.status_code == 200
    assert response.getvalue() == b""
