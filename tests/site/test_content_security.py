"""Every page obeys the content security policy: no inline script, style or event handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, Status
from bayerboard.submissions.models import Submission
from scoring.problems import problem
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast

POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}
DOORS = ("login", "signup", "password/reset", "password/reset/done", "inactive", "confirm-email")
# these are for who is signed in
ROOMS = ("logout", "email", "password/change")


@pytest.fixture
def submissions(cast: Cast, tmp_path: Path) -> list[Submission]:
    """One in every status."""
    cast.phase.quota_per_day = 100
    cast.phase.publishes_images = True
    cast.phase.save()
    found = [factories.make_submission(cast.phase, cast.team, tmp_path) for _ in Status]
    for submission, status in zip(found, Status, strict=True):
        if status == Status.SCORED:
            factories.record(submission.evaluation, psnr=30)
        else:
            Evaluation.objects.filter(submission=submission).update(
                status=status, errors=[problem("image-missing", file="6_2.npy").to_json()]
            )
    Submission.objects.filter(pk=found[-1].pk).update(disqualified_at=timezone.now())
    return found


def pages_of(cast: Cast) -> list[str]:
    return [
        "/",
        "/submissions/",
        cast.challenge.get_absolute_url(),
        cast.phase.track.get_absolute_url(),
        cast.phase.get_absolute_url(),
        "/challenges/nothing/",
    ]


@pytest.mark.parametrize("role", factories.ROLES)
def test_pages_are_strict(cast: Cast, submissions: list[Submission], role: str) -> None:
    client = cast.client(role)

    for url in [*pages_of(cast), cast.phase.submit_url(), *(item.get_absolute_url() for item in submissions)]:
        response = client.get(url, follow=True)
        assert Page(response).violations == [], url
        assert policy_of(response["Content-Security-Policy"]) == POLICY, url


def policy_of(header: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in header.split(";"))}


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS)
def test_account_pages_are_strict(door: str) -> None:
    response = Client().get(f"/accounts/{door}/")

    assert response.status_code == 200
    assert Page(response).violations == []


@pytest.mark.parametrize("room", ROOMS)
def test_account_pages_inside_are_strict(cast: Cast, room: str) -> None:
    response = cast.client("participant").get(f"/accounts/{room}/")

    assert response.status_code == 200
    assert Page(response).violations == []


def test_refused_forms_are_strict(cast: Cast, tmp_path: Path) -> None:
    client = cast.client("participant")

    for fields in ({}, factories.upload(cast.phase, tmp_path, method_name="")):
        assert Page(client.post(cast.phase.submit_url(), fields)).violations == []
    response = cast.client("stranger").post(f"/join/{cast.challenge.slug}/", {"team_name": "Bayer Street"})
    assert Page(response).violations == []


def test_the_page_of_a_refused_token_is_strict(cast: Cast) -> None:
    response = cast.client("stranger", enforce_csrf_checks=True).post(f"/join/{cast.challenge.slug}/", {})

    assert response.status_code == 403
    assert Page(response).violations == []


def test_the_page_of_a_crash_is_strict_and_tells_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*arguments: object, **options: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("bayerboard.pages.challenges.render", crash)

    response = cast.client("participant", raise_request_exception=False).get("/")

    page = Page(response)
    assert response.status_code == 500
    assert page.violations == []
    assert "secret detail" not in page.html


def test_other_headers(cast: Cast) -> None:
    response = cast.client("participant").get("/")

    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


def test_what_is_one_users_is_not_cached_for_another(cast: Cast, submissions: list[Submission]) -> None:
    response = cast.client("participant").get(submissions[0].get_absolute_url())

    assert "Cookie" in response["Vary"]
