"""A site of the version before, with rows of every kind, after it was migrated to the present version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from bayerboard.accounts.models import User
from bayerboard.challenges.models import AuditEntry, Challenge, Compared, Phase, RoleGrant, ScoringVersion, Track
from bayerboard.challenges.roles import Role
from bayerboard.evaluations.models import Evaluation, ImageScores, Score
from bayerboard.leaderboards.board import board_page
from bayerboard.leaderboards.models import Standing
from bayerboard.leaderboards.settling import settle_phases
from bayerboard.mails.models import Mail, State
from bayerboard.notices.models import Notice
from bayerboard.runs.models import BaselineRun, Measurement
from bayerboard.submissions.models import Submission
from bayerboard.submissions.submit import quota_of
from bayerboard.teams.models import Team, role_of
from bayerboard.teams.origin import Origin
from bayerboard.uploads.models import Upload
from tests.site.site_before import (
    EARLIER_PSNR,
    LATER_PSNR,
    PROTOCOL,
    RUNTIME_S,
    SiteBefore,
    go_forward,
    make_site_before,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PAGES = ("home", "submissions", "notices", "notice-settings")
SCORED = {"earlier": EARLIER_PSNR, "later": LATER_PSNR, "disqualified": 40.0, "mosaic": 20.0}


class Migrated:
    """Finds the rows of the version before by their names."""

    def __init__(self, site: SiteBefore, before: dict[str, int]) -> None:
        self.keys, self.now, self.before = site.keys, site.now, before

    def user(self, name: str) -> User:
        return User.objects.get(pk=self.keys[name])

    def phase(self, name: str) -> Phase:
        return Phase.objects.get(pk=self.keys[name])

    def submission(self, name: str) -> Submission:
        return Submission.objects.get(pk=self.keys[f"submission {name}"])

    def evaluation(self, name: str) -> Evaluation:
        return Evaluation.objects.get(pk=self.keys[f"evaluation {name}"])

    def stands_for(self, team: str, phase: str) -> Evaluation:
        return Standing.objects.get(entry=self.keys[f"entry of {team} in {phase}"]).evaluation

    def client(self, name: str) -> Client:
        client = Client()
        client.force_login(self.user(name), "django.contrib.auth.backends.ModelBackend")
        return client


@pytest.fixture(scope="module")
def migrated(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Migrated]:
    """Migrate once for all tests: each of them is undone, and the rows go with the last."""
    try:
        with django_db_blocker.unblock():
            try:
                site = make_site_before()
                before = site.counts()
            finally:
                go_forward()
        yield Migrated(site, before)
    finally:
        with django_db_blocker.unblock():
            call_command("flush", interactive=False, verbosity=0)


def test_no_row_is_lost(migrated: Migrated) -> None:
    assert min(migrated.before.values()) > 0, "a table of which nothing is known"
    assert {label: apps.get_model(label)._default_manager.count() for label in migrated.before} == migrated.before


def test_the_earliest_organiser_owns_the_challenge(migrated: Migrated) -> None:
    challenge = Challenge.objects.get()
    given = dict(RoleGrant.objects.values_list("user__username", "role"))
    assert given == {"founder": "owner", "helper": "organiser"}
    roles = {name: role_of(migrated.user(name), challenge) for name in ("founder", "helper", "ada", "stranger")}
    assert roles == {
        "founder": Role.OWNER,
        "helper": Role.ORGANISER,
        "ada": Role.PARTICIPANT,
        "stranger": Role.READER,
    }


def test_the_audit_log_begins_empty(migrated: Migrated) -> None:
    assert not AuditEntry.objects.exists()


def test_teams_are_of_people_or_baselines(migrated: Migrated) -> None:
    assert dict(Team.objects.values_list("name", "kind")) == {"Bayer Street": "people", "Mosaic": "baseline"}


@pytest.mark.parametrize("model", [Submission, Upload])
def test_origins_follow_from_the_team(migrated: Migrated, model: type[Submission] | type[Upload]) -> None:
    of_baseline = "entry__team__kind" if model is Submission else "team__kind"
    found = model._default_manager.values_list(of_baseline, "origin").distinct()
    assert set(found) == {("people", Origin.PARTICIPANT), ("baseline", Origin.BASELINE)}


def test_uploads_stand_where_they_stood(migrated: Migrated) -> None:
    keys = {name: migrated.keys[f"upload {name}"] for name in ("open", "unsubmitted", "aborted", "of earlier")}
    states = {name: Upload.objects.values_list("state", "submission").get(pk=key) for name, key in keys.items()}
    assert states == {
        "open": ("open", None),
        "unsubmitted": ("complete", None),
        "aborted": ("aborted", None),
        "of earlier": ("complete", migrated.keys["submission earlier"]),
    }


def test_each_score_has_a_row(migrated: Migrated) -> None:
    scored = Evaluation.objects.exclude(metrics={})
    stored = {(item.pk, item.scoring_version_id, key): value for item in scored for key, value in item.metrics.items()}
    rows = Score.objects.values_list("evaluation", "scoring_version", "key", "value", "text")
    assert {row[:3]: row[3:] for row in rows} == {place: (value, "") for place, value in stored.items()}
    # Of six scored submissions and a staged evaluation, each two metrics, a subset's and a formula's.
    assert len(stored) == 7 * 4


def test_scores_and_verdicts_are_unchanged(migrated: Migrated) -> None:
    assert {name: migrated.evaluation(name).metrics["psnr"] for name in SCORED} == SCORED
    statuses = {name: migrated.evaluation(name).status for name in ("earlier", "rejected", "queued", "failed")}
    assert statuses == {"earlier": "scored", "rejected": "rejected", "queued": "queued", "failed": "failed"}
    assert migrated.evaluation("rejected").errors == [{"code": "image-missing", "file": "6_2.npy"}]
    assert migrated.submission("disqualified").disqualified_at == migrated.now


def test_operands_are_those_of_the_archives_own_fact_sheet(migrated: Migrated) -> None:
    scored = Evaluation.objects.exclude(metrics={})
    operands = {item.submission_id: item.operands for item in scored}
    assert list(operands.values()) == [{"runtime_ms": RUNTIME_S * 1000}] * len(operands)
    assert list(Evaluation.objects.filter(metrics={}).values_list("operands", flat=True).distinct()) == [{}]


def test_image_scores_are_unchanged(migrated: Migrated) -> None:
    scores = ImageScores.objects.get(evaluation=migrated.keys["evaluation earlier"])
    assert scores.values == {"psnr": [EARLIER_PSNR + 1, EARLIER_PSNR - 1], "ssim": [0.5, 0.5]}


def test_tracks_and_versions_keep_their_protocol(migrated: Migrated) -> None:
    found = [Track.objects.get().protocol_data, *ScoringVersion.objects.values_list("protocol_data", flat=True)]
    assert found == [PROTOCOL] * 4


def test_quotas_are_unchanged(migrated: Migrated) -> None:
    limits = dict(Phase.objects.values_list("slug", "quota_per_day"))
    assert limits == {"hidden": 3, "public": 4}
    quota = quota_of(migrated.phase("hidden"), Team.objects.get(name="Bayer Street"), migrated.now)
    # Two that were scored, the disqualified one, and the one that waits; the rejected and the failed one are free.
    assert (quota.total, quota.used_total, quota.rejected) == (50, 4, 2)


def test_waiting_mails_are_carried_over(migrated: Migrated) -> None:
    mails = Mail.objects.values_list("about", "state", "address", "user__username", "attempts")
    assert set(mails) == {
        (migrated.keys["notice pending"], State.PENDING, "ada@example.org", "ada", 2),
        # It may have gone out: a notice is mailed at most once.
        (migrated.keys["notice sending"], State.FAILED, "ada@example.org", "ada", 2),
    }


def test_notices_stay_unread(migrated: Migrated) -> None:
    assert Notice.objects.filter(read_at=None, user=migrated.keys["ada"]).count() == 5


def test_a_staged_rescore_still_waits(migrated: Migrated) -> None:
    staged = Evaluation.objects.filter(scoring_version__run=migrated.keys["rescore"], is_staged=True)
    assert dict(staged.values_list("submission", "status")) == {
        migrated.keys["submission earlier"]: "scored",
        migrated.keys["submission later"]: "queued",
    }
    published = migrated.phase("hidden").published_version
    assert published is not None
    assert published.number == 1


def test_baseline_runs_keep_their_measurement(migrated: Migrated) -> None:
    assert BaselineRun.objects.get().submission == migrated.submission("mosaic")
    assert Measurement.objects.get().runtime_s == 0.125


# --- Standings ---


def test_standings_are_as_they_were_until_beat_settles_the_phases(migrated: Migrated) -> None:
    assert set(Phase.objects.values_list("compared", "over_at")) == {(Compared.EXACT, None)}
    assert migrated.stands_for("team", "hidden") == migrated.evaluation("later")


def test_beat_chooses_standings_as_shown_where_a_reference_is_hidden(migrated: Migrated) -> None:
    assert settle_phases() == 1

    assert migrated.phase("hidden").compared == Compared.SHOWN
    assert migrated.stands_for("team", "hidden") == migrated.evaluation("earlier")
    standing = Standing.objects.get(entry=migrated.keys["entry of team in hidden"])
    assert (standing.metrics["psnr"], standing.metrics["ssim"]) == (30.0, 0.5)


def test_beat_leaves_standings_of_a_public_reference_alone(migrated: Migrated) -> None:
    settle_phases()

    assert migrated.phase("public").compared == Compared.EXACT
    assert migrated.stands_for("team", "public") == migrated.evaluation("public later")


def test_a_second_round_of_beat_changes_nothing(migrated: Migrated) -> None:
    settle_phases()

    assert settle_phases() == 0


def test_the_baseline_is_on_the_board_without_a_rank(migrated: Migrated) -> None:
    settle_phases()

    rows = board_page(migrated.phase("hidden"), migrated.user("founder")).rows
    assert [(row.team, row.rank) for row in rows] == [("Bayer Street", 1), ("Mosaic", None)]


# --- Pages ---


def addresses(migrated: Migrated, submissions: tuple[str, ...]) -> list[str]:
    in_track = ["night", "raw"]
    return [
        *(reverse(page) for page in PAGES),
        reverse("challenge", args=["night"]),
        reverse("track", args=in_track),
        reverse("baselines", args=in_track),
        *(reverse("board", args=[*in_track, phase]) for phase in ("hidden", "public")),
        *(reverse("submission", args=[migrated.submission(name).pk]) for name in submissions),
    ]


def refused(client: Client, asked: list[str]) -> dict[str, int]:
    """Return the addresses that answer anything but 200, and their status."""
    statuses = {address: client.get(address).status_code for address in asked}
    return {address: status for address, status in statuses.items() if status != 200}


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("name", ["ada", "founder", "helper", "operator"])
def test_pages_answer_a_participant_and_those_who_run_the_challenge(
    migrated: Migrated, name: str, settled: bool
) -> None:
    if settled:
        settle_phases()
    theirs = ("earlier", "later", "disqualified", "rejected", "queued", "failed", "public later")
    submit = reverse("submit", args=["night", "raw", "hidden"])
    assert refused(migrated.client(name), [*addresses(migrated, theirs), submit]) == {}


def test_pages_answer_a_stranger(migrated: Migrated) -> None:
    assert refused(migrated.client("stranger"), addresses(migrated, ())) == {}


def test_a_strangers_submission_stays_closed(migrated: Migrated) -> None:
    address = reverse("submission", args=[migrated.submission("earlier").pk])
    assert migrated.client("stranger").get(address).status_code == 404


def test_the_admin_lists_and_shows_every_row(migrated: Migrated) -> None:
    client = migrated.client("operator")
    asked = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        asked.append(reverse(f"{name}_changelist"))
        first = model._default_manager.first()
        if first is not None:
            asked.append(reverse(f"{name}_change", args=[first.pk]))
    assert refused(client, asked) == {}
