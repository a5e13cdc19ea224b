"""Every outlet shows a role as much as the phase says, and nothing else: planted values are looked for in all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import timezone

from bayerboard.challenges.models import Compared, Phase, ScoringVersion, Track
from bayerboard.evaluations.models import Evaluation
from bayerboard.leaderboards.models import Standing
from bayerboard.leaderboards.settling import settle
from bayerboard.notices.mail import compose
from bayerboard.notices.models import Notice
from bayerboard.results.recording import record_score
from bayerboard.runs.models import BaselineRun, RunStatus, baseline_team
from bayerboard.teams.origin import Origin
from scoring.factsheet import FactSheet
from scoring.problems import SCORE_DERIVED, Problem
from scoring.report import ImageScore, ScoreReport
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.submissions.models import Submission
    from tests.factories import Cast

# Values that occur nowhere else, by what they tell.
PLANTED = {
    "own mean": "31.86",
    "own mean, unrounded": "31.8642",
    "rivals' mean": "27.12",
    "rivals' mean, unrounded": "27.1234",
    "baseline's mean": "22.41",
    "own subset": "53.77",
    "rivals' subset": "58.19",
    "own formula of a subset": "107.54",
    "rivals' formula of a subset": "116.38",
    "own image": "47.13",
    "derived warning": "it-depends-on-the-score",
    "worker": "some-host/4711",
    "libraries": "98.76.54",
    "reference's hash": "feedfeedfeedfeed",
}
NOBODY_SEES = {"own mean, unrounded", "rivals' mean, unrounded"}
MEANS = {"own mean", "rivals' mean", "baseline's mean"}
MEMBERS, OTHERS = ("participant", "teammate"), ("stranger", "signed_out")


@dataclass(frozen=True)
class State:
    """A phase as it may stand, and what its members, a rival, and everybody else may see."""

    name: str
    fields: dict[str, Any]
    members: set[str]
    rival: set[str]
    others: set[str]
    is_over: bool = False

    def seen_by(self, role: str) -> set[str]:
        if role == "organiser":
            return set(PLANTED) - NOBODY_SEES
        return self.members if role in MEMBERS else self.rival if role == "rival" else self.others


NOW = timezone.now()
ENDED = {"ends_at": NOW - timedelta(minutes=31), "board_opens_at": NOW - timedelta(minutes=31)}
SUBSETS = {"own subset", "rivals' subset", "own formula of a subset", "rivals' formula of a subset"}
OWN_DETAILS = {"own image", "derived warning", "libraries", "reference's hash"}
STATES = [
    State("open", {"board": "open"}, MEANS, MEANS, MEANS),
    State("hidden", {"board": "hidden"}, {"own mean"}, {"rivals' mean"}, set()),
    State("own row", {"board": "own-row"}, {"own mean"}, {"rivals' mean"}, set()),
    State("hidden scores", {"board": "hidden", "shows_own_scores": False}, set(), set(), set()),
    State("own row, hidden scores", {"board": "own-row", "shows_own_scores": False}, set(), set(), set()),
    State("ended, not over", {"board": "hidden", **ENDED}, {"own mean"}, {"rivals' mean"}, set()),
    State("over", {"board": "hidden", **ENDED}, {*MEANS, "derived warning"}, MEANS, MEANS, is_over=True),
    State(
        "public reference",
        {"board": "open", "publishes_images": True},
        MEANS | SUBSETS | OWN_DETAILS,
        # The rival's own submission has the same libraries and reference.
        MEANS | SUBSETS | {"libraries", "reference's hash"},
        MEANS | SUBSETS,
    ),
    State(
        "public reference, hidden scores",
        {"board": "hidden", "publishes_images": True, "shows_own_scores": False},
        {"libraries", "reference's hash"},
        {"libraries", "reference's hash"},
        set(),
    ),
]


@pytest.fixture
def planted(cast: Cast, tmp_path: Path, settings: Settings) -> dict[str, Submission]:
    settings.EMAIL_HOST = "mail.example.org"
    for user in (cast.participant, cast.teammate, cast.rival):
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    _add_subsets(cast.phase)
    team = baseline_team(cast.challenge, "Mosaic")
    submissions = {
        "own": factories.make_submission(cast.phase, cast.team, tmp_path, method_name="Ours"),
        "rivals": factories.make_submission(cast.phase, cast.rivals, tmp_path, method_name="Theirs"),
        "baseline": factories.make_submission(cast.phase, team, tmp_path, method_name="mosaic", origin=Origin.BASELINE),
    }
    BaselineRun.objects.create(
        method="mosaic", phase=cast.phase, status=RunStatus.SUBMITTED, submission=submissions["baseline"]
    )
    _record(submissions["own"], 31.8642198765, subset=53.7712345678, image=47.1312345678, warns=True)
    _record(submissions["rivals"], 27.1234567891, subset=58.1912345678, image=41.0)
    _record(submissions["baseline"], 22.4123456789, subset=51.0, image=42.0)
    return submissions


def _add_subsets(phase: Phase) -> None:
    """Give the track a column that only organisers see, and a formula that tells as much."""
    data = phase.track.protocol_data
    column = {**data["columns"][0], "key": "psnr_dark", "label": "PSNR, dark", "metric": "psnr", "subset": "dark"}
    formula = {**data["columns"][0], "key": "dark_twice", "label": "Dark, twice", "formula": "2 * psnr_dark"}
    data = {**data, "subsets": ["dark"], "columns": [*data["columns"], column, formula]}
    Track.objects.filter(pk=phase.track_id).update(protocol_data=data)
    ScoringVersion.objects.filter(phase=phase).update(protocol_data=data)


def _record(submission: Submission, psnr: float, subset: float, image: float, *, warns: bool = False) -> None:
    assert Evaluation.objects.claim(submission.evaluation.pk, "some-host/4711")
    evaluation = Evaluation.objects.get(pk=submission.evaluation.pk)
    warnings = tuple(Problem(code, "it-depends-on-the-score", "Nothing.") for code in sorted(SCORE_DERIVED))
    report = ScoreReport(
        protocol="planted",
        metrics={"psnr": psnr, "ssim": 0.5, "psnr_dark": subset, "dark_twice": 2 * subset},
        images=tuple(ImageScore(name, {"psnr": image, "ssim": 0.5}) for name in factories.NAMES),
        factsheet=FactSheet(),
        warnings=warnings if warns else (),
    )
    provenance = {
        "archive_sha256": "a" * 64,
        "reference_version": 1,
        "reference_manifest_sha256": "feed" * 16,
        "libraries": {"numpy": "98.76.54"},
        "worker": "some-host/4711",
        "attempt": 1,
    }
    record_score(evaluation, report, "a" * 64, provenance)


def outlets(cast: Cast, role: str, planted: dict[str, Submission]) -> dict[str, str]:
    """Return all that the role gets to read, headers included, by the outlet."""
    client, phase = cast.client(role), cast.phase
    names = [cast.challenge.slug, phase.track.slug]
    addresses = [
        "/",
        cast.challenge.get_absolute_url(),
        phase.track.get_absolute_url(),
        phase.get_absolute_url(),
        f"{phase.get_absolute_url()}?eligible=1",
        f"{phase.get_absolute_url()}?page=2",
        phase.submit_url(),
        reverse("baselines", args=names),
        reverse("check", args=[*names, phase.slug]),
        "/submissions/",
        "/notices/",
        "/notices/bell/",
        *(submission.get_absolute_url() for submission in planted.values()),
        *(f"{submission.get_absolute_url()}status/" for submission in planted.values()),
    ]
    found = {}
    for address in addresses:
        answer = client.get(address)
        found[address] = answer.serialize_headers().decode() + answer.content.decode()
    user = cast.user(role)
    if user.is_authenticated:
        for notice in Notice.objects.filter(user=user):
            found[f"mail {notice.pk}"] = compose(notice, user.email).message().as_string()
    return found


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_each_outlet_shows_as_much_as_the_phase_says(cast: Cast, planted: dict[str, Submission], state: State) -> None:
    is_exact = state.fields.get("publishes_images") or state.is_over
    Phase.objects.filter(pk=cast.phase.pk).update(
        over_at=NOW if state.is_over else None,
        compared=Compared.EXACT if is_exact else Compared.SHOWN,
        **state.fields,
    )
    Standing.objects.rebuild(cast.phase)
    cast.phase.refresh_from_db()
    offenders = []
    for role in factories.ROLES:
        found = outlets(cast, role, planted)
        shown = {name for name, secret in PLANTED.items() if any(secret in text for text in found.values())}
        for name in sorted(shown - state.seen_by(role)):
            offenders += [(role, name, address) for address, text in found.items() if PLANTED[name] in text]
        offenders += [(role, name, "nowhere") for name in sorted(state.seen_by(role) - shown)]
    assert offenders == []


def test_a_phase_that_settles_is_the_state_called_over(cast: Cast, planted: dict[str, Submission]) -> None:
    Phase.objects.filter(pk=cast.phase.pk).update(board="hidden", **ENDED)

    assert settle(cast.phase.pk)

    assert PLANTED["rivals' mean"] in cast.client("signed_out").get(cast.phase.get_absolute_url()).content.decode()
