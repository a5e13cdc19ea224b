"""What the page's script checks an archive by, and the readme that the site reads for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bayerboard.challenges.models import Challenge, Phase
from scoring.archive import DEFAULT_LIMITS
from scoring.problems import CATALOGUE
from tests.scoring.archives import README

if TYPE_CHECKING:
    from tests.factories import Cast


def facts_url(cast: Cast) -> str:
    return f"{cast.phase.get_absolute_url()}check.json"


def read(cast: Cast, readme: str | bytes, role: str = "participant", **options: Any) -> Any:
    url = f"{cast.phase.get_absolute_url()}check/readme/?name=submission/readme.txt"
    return cast.client(role, **options).post(url, readme, content_type="text/plain")


def test_facts_are_the_public_manifest_the_limits_and_the_catalogue(cast: Cast) -> None:
    response = cast.client("participant").get(facts_url(cast))

    facts = response.json()
    assert response.status_code == 200
    assert facts["manifest"] == cast.phase.manifest.to_json()
    assert facts["limits"]["max_entries"] == DEFAULT_LIMITS.max_entries
    assert facts["catalogue"].keys() == CATALOGUE.keys()
    assert facts["catalogue"]["image-missing"]["what"] == CATALOGUE["image-missing"].what


@pytest.mark.parametrize("role", ["participant", "teammate", "rival", "organiser"])
def test_facts_are_for_who_may_have_the_inputs(cast: Cast, role: str) -> None:
    assert cast.client(role).get(facts_url(cast)).status_code == 200


@pytest.mark.parametrize(
    ("role", "status", "code"), [("stranger", 403, "not-a-participant"), ("signed_out", 401, "not-signed-in")]
)
def test_others_are_told_no_names(cast: Cast, role: str, status: int, code: str) -> None:
    response = cast.client(role).get(facts_url(cast))

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "6_0" not in response.content.decode()


@pytest.mark.parametrize(
    "dates",
    [{"inputs_released_at": timedelta(hours=1)}, {"starts_at": timedelta(hours=1)}],
    ids=["later than the start", "with the start"],
)
@pytest.mark.parametrize("role", ["participant", "stranger"])
def test_before_the_release_of_the_inputs_their_names_are_not_told(
    cast: Cast, role: str, dates: dict[str, timedelta]
) -> None:
    Phase.objects.update(**{name: timezone.now() + delay for name, delay in dates.items()})

    response = cast.client(role).get(facts_url(cast))

    assert (response.status_code, response.json()["code"]) == (403, "inputs-not-released")
    assert "6_0" not in response.content.decode()


def test_before_the_release_an_organiser_can_check_a_trial(cast: Cast) -> None:
    Phase.objects.update(starts_at=timezone.now() + timedelta(hours=1))

    assert cast.client("organiser").get(facts_url(cast)).json()["manifest"] == cast.phase.manifest.to_json()


def test_facts_of_a_draft_are_nobodys(cast: Cast) -> None:
    Challenge.objects.update(is_listed=False)

    assert cast.client("participant").get(facts_url(cast)).status_code == 404
    assert read(cast, README).status_code == 404


def test_facts_of_a_phase_that_does_not_exist(cast: Cast) -> None:
    url = facts_url(cast).replace(f"/{cast.phase.slug}/", "/nothing/")

    assert cast.client("participant").get(url).status_code == 404


def test_facts_are_only_read(cast: Cast) -> None:
    assert cast.client("participant").post(facts_url(cast)).status_code == 405


def test_a_readme_is_read_as_scoring_reads_it(cast: Cast) -> None:
    answer = read(cast, README).json()

    assert answer["warnings"] == []
    assert answer["factsheet"] == [
        ["Runtime", "3.6 ms per image"],
        ["Device", "GPU"],
        ["Extra data", "no"],
        ["Method", "a test"],
    ]


def test_what_a_readme_leaves_unsaid_is_told(cast: Cast) -> None:
    answer = read(cast, "runtime: 2 s").json()

    assert answer["factsheet"] == [["Runtime", "2 s per image"], ["Device", "–"], ["Extra data", "–"]]
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["file"]) == ("readme-incomplete", "submission/readme.txt")


@pytest.mark.parametrize("readme", ["", "nothing of use", b"\xff\xfe\x00", "words " * 100_000])
def test_a_readme_that_says_nothing_is_told(cast: Cast, readme: str | bytes) -> None:
    answer = read(cast, readme).json()

    assert [warning["code"] for warning in answer["warnings"]] == ["readme-unreadable"]
    assert answer["factsheet"][0] == ["Runtime", "–"]


def test_a_readme_is_sent_by_the_page_itself(cast: Cast) -> None:
    assert read(cast, README, enforce_csrf_checks=True).status_code == 403
    assert read(cast, README, role="signed_out").status_code == 401


def test_facts_tell_nothing_of_a_reference(cast: Cast) -> None:
    facts = cast.client("participant").get(facts_url(cast)).json()

    assert "sha256" not in json.dumps({**facts, "catalogue": {}, "details": {}})
