"""The submit page before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


@pytest.mark.parametrize("role", ["participant", "teammate", "rival"])
def test_shows_a_member_the_form(cast: Cast, role: str) -> None:
    page = Page(cast.client(role).get(cast.phase.submit_url()))

    assert 'name="archive"' in page.html
    assert 'name="complete"' in page.html
    assert "16 × 16 × 4" in page.text
    assert "6_0.npy" in page.text


def test_the_last_field_tells_that_the_upload_is_complete(cast: Cast) -> None:
    html = Page(cast.client("participant").get(cast.phase.submit_url())).html

    assert html.rindex('name="complete"') > max(
        html.rindex(f'name="{name}"') for name in ("archive", "method_name", "description", "idempotency_key")
    )


def test_every_form_has_a_key_of_its_own(cast: Cast) -> None:
    client = cast.client("participant")

    keys = {client.get(cast.phase.submit_url()).context["form"]["idempotency_key"].value() for _ in range(2)}

    assert len(keys) == 2


def test_shows_what_is_left(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(quota_per_day=3, quota_total=7)
    factories.make_submission(cast.phase, cast.team, tmp_path)

    page = Page(cast.client("teammate").get(cast.phase.submit_url()))

    assert "Left now 2" in page.text
    assert "Used today 1 of 3" in page.text
    assert "Used in all 1 of 7" in page.text


def test_another_teams_submissions_are_not_counted(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path)

    page = Page(cast.client("rival").get(cast.phase.submit_url()))

    assert "Used today 0 of" in page.text


def test_sends_a_stranger_to_the_terms(cast: Cast) -> None:
    page = Page(cast.client("stranger").get(cast.phase.submit_url()))

    assert "You do not take part in this challenge." in page.text
    assert 'name="archive"' not in page.html


def test_the_images_of_a_phase_are_named_once_its_inputs_are_released(cast: Cast) -> None:
    type(cast.phase).objects.update(inputs_released_at=timezone.now() + timedelta(hours=1))

    page = Page(cast.client("participant").get(cast.phase.submit_url()))

    assert "One .npy for each image" in page.text
    assert "6_0" not in page.html


def test_who_has_not_joined_is_told_no_names(cast: Cast) -> None:
    assert "6_0" not in Page(cast.client("stranger").get(cast.phase.submit_url())).html


def test_signed_out(cast: Cast) -> None:
    response = cast.client("signed_out").get(cast.phase.submit_url())

    assert response["Location"] == f"/accounts/login/?next={cast.phase.submit_url()}"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"starts_at": timedelta(hours=1)}, "is not open yet"),
        ({"ends_at": timedelta(seconds=-1)}, "closed on"),
    ],
)
def test_says_when_the_phase_takes_nothing(cast: Cast, fields: dict[str, timedelta], text: str) -> None:
    type(cast.phase).objects.update(**{name: timezone.now() + delay for name, delay in fields.items()})

    page = Page(cast.client("participant").get(cast.phase.submit_url()))

    assert text in page.text
    assert 'name="archive"' not in page.html


def test_a_phase_without_a_reference_is_not_ready(cast: Cast) -> None:
    type(cast.phase).objects.update(published_version=None)

    assert "has no reference set yet" in Page(cast.client("participant").get(cast.phase.submit_url())).text


def test_a_phase_without_a_manifest_is_no_crash(cast: Cast) -> None:
    type(cast.phase).objects.update(published_version=None, manifest_data={})

    assert cast.client("participant").get(cast.phase.submit_url()).status_code == 200


def test_dates_are_told_in_the_challenges_time_zone(cast: Cast) -> None:
    type(cast.challenge).objects.update(time_zone="Asia/Tokyo")
    closed = datetime(2026, 3, 3, 20, 30, tzinfo=UTC)
    type(cast.phase).objects.update(ends_at=closed)

    assert "closed on 4 March 2026, 05:30 JST" in Page(cast.client("participant").get(cast.phase.submit_url())).text


def test_unknown_phase(cast: Cast) -> None:
    url = f"{cast.phase.track.get_absolute_url()}nothing/submit/"

    assert cast.client("participant").get(url).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_takes_get_and_post_alone(cast: Cast, method: str) -> None:
    assert getattr(cast.client("participant"), method)(cast.phase.submit_url()).status_code == 405
