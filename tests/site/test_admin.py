"""The administration: every page comes up, and what is scored against cannot be changed by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models.signals import pre_save
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bayerboard.challenges.models import Challenge, Download, Phase, ScoringVersion
from bayerboard.leaderboards.models import Standing
from bayerboard.mails.models import Mail
from bayerboard.rescoring import planning
from bayerboard.runs.models import BaselineRun
from bayerboard.submissions.models import Submission
from bayerboard.teams.models import Membership, Team
from tests import factories
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from django.db.models import Model
    from django.test import Client

    from bayerboard.accounts.models import User
    from tests.factories import Cast


# What workers and commands alone make and move.
READ_ONLY = (
    "auditentry",
    "inputset",
    "referenceset",
    "scoringversion",
    "evaluation",
    "rescorerun",
    "baselinerun",
    "mail",
)
# These need files or data that only `create_challenge` brings.
NOT_ADDED = (*READ_ONLY, "track", "phase", "download", "submission")

OURS = sorted(
    (model for model in admin.site._registry if model._meta.app_config.name.startswith("bayerboard.")),
    key=lambda model: model._meta.label_lower,
)


@pytest.fixture
def boss(cast: Cast) -> Client:
    user = factories.make_user("boss", is_staff=True, is_superuser=True)
    client = cast.client("signed_out")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture(autouse=True)
def _something_of_everything(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    Submission.objects.filter(pk=submission.pk).update(disqualified_at=timezone.now())
    BaselineRun.objects.create(method="mosaic", phase=cast.phase)
    Mail.objects.create(
        kind="notice", priority=50, address="ada@example.org", data={"planted": 86421357}, client="192.0.2.86"
    )
    planning.start(cast.phase.path, planning.plan([cast.phase], None), "")
    Download.objects.create(
        track=cast.phase.track, title="Kit", filename="kit.zip", storage_key="k", size_bytes=1, sha256="0" * 64
    )


def url_of(model: type[Model], page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def model_named(name: str) -> type[Model]:
    return next(model for model in OURS if model._meta.model_name == name)


def first_of(model: type[Model]) -> Model:
    found = model._default_manager.first()
    assert found is not None, f"make a {model.__name__} in the fixture above"
    return found


def test_every_list_and_every_object_comes_up(boss: Client) -> None:
    addresses = [
        *(url_of(model, "changelist") for model in OURS),
        *(url_of(model, "change", first_of(model).pk) for model in OURS),
    ]
    faults = {}
    for address in addresses:
        response = boss.get(address)
        if (found := [response.status_code, *Page(response).violations]) != [200]:
            faults[address] = found
    assert len(OURS) > 10
    assert faults == {}


def test_searching_and_sorting_come_up(boss: Client) -> None:
    asked = {"q": "a\0'é", "o": "1"}
    answers = {model.__name__: boss.get(url_of(model, "changelist"), asked).status_code for model in OURS}
    assert {name: status for name, status in answers.items() if status not in {200, 302}} == {}


def test_what_commands_make_is_not_added_by_hand(boss: Client) -> None:
    answers = {name: boss.get(url_of(model_named(name), "add")).status_code for name in NOT_ADDED}
    assert answers == dict.fromkeys(NOT_ADDED, 403)


def test_what_is_scored_against_is_not_changed_by_hand(boss: Client) -> None:
    for model in map(model_named, READ_ONLY):
        found = first_of(model)
        assert boss.post(url_of(model, "change", found.pk), {}).status_code == 403, model
        assert boss.post(url_of(model, "delete", found.pk), {"post": "yes"}).status_code == 403, model


@pytest.mark.parametrize("page", ["changelist", "change"])
def test_a_mail_shows_its_kind_address_and_state_alone(boss: Client, page: str) -> None:
    found = Mail.objects.get()

    shown = Page(boss.get(url_of(Mail, page, *([found.pk] if page == "change" else []))))

    assert "ada@example.org" in shown.text
    assert [secret for secret in ("86421357", "192.0.2.86") if secret in shown.html] == []


def test_a_submission_is_not_deleted(boss: Client) -> None:
    found = Submission.objects.get()

    assert boss.post(url_of(Submission, "delete", found.pk), {"post": "yes"}).status_code == 403


def test_a_challenge_with_submissions_is_not_deleted(boss: Client, cast: Cast) -> None:
    response = boss.post(url_of(type(cast.challenge), "delete", cast.challenge.pk), {"post": "yes"})

    assert "Cannot delete" in Page(response).text
    cast.challenge.refresh_from_db()


def test_a_challenge_can_be_changed(boss: Client, cast: Cast) -> None:
    url = url_of(type(cast.challenge), "change", cast.challenge.pk)
    fields = {
        "slug": cast.challenge.slug,
        "title": "New title",
        "time_zone": "Europe/Zurich",
        "is_listed": "on",
        "grants-TOTAL_FORMS": 0,
        "grants-INITIAL_FORMS": 0,
    }

    boss.post(url, fields)

    cast.challenge.refresh_from_db()
    assert (cast.challenge.title, cast.challenge.time_zone) == ("New title", "Europe/Zurich")


@pytest.mark.parametrize("change", [{"grants-0-role": "viewer"}, {"grants-0-DELETE": "on"}])
def test_the_last_owner_of_a_challenge_stays(boss: Client, cast: Cast, change: dict[str, str]) -> None:
    grant = cast.challenge.grants.get()
    fields = {
        "slug": cast.challenge.slug,
        "title": cast.challenge.title,
        "time_zone": "UTC",
        "grants-TOTAL_FORMS": 1,
        "grants-INITIAL_FORMS": 1,
        "grants-0-id": grant.pk,
        "grants-0-user": grant.user_id,
        "grants-0-role": "owner",
        **change,
    }

    answer = boss.post(url_of(Challenge, "change", cast.challenge.pk), fields)

    assert "Make somebody else an owner first" in answer.content.decode()
    assert cast.challenge.grants.get().role == "owner"


def test_what_was_written_since_the_form_was_read_stays(boss: Client, cast: Cast) -> None:
    """A rescore that is published meanwhile must not be taken back by whoever changes a date."""
    published = ScoringVersion.objects.get(phase=cast.phase, run__isnull=False)

    def publish(sender: type[Model], instance: Model, **signal: Any) -> None:
        Phase.objects.filter(pk=cast.phase.pk).update(published_version=published)

    pre_save.connect(publish, sender=Phase)
    try:
        answer = boss.post(url_of(Phase, "change", cast.phase.pk), phase_fields(boss, cast))
    finally:
        pre_save.disconnect(publish, sender=Phase)

    assert answer.status_code == 302
    cast.phase.refresh_from_db()
    assert cast.phase.ends_at == datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
    assert cast.phase.published_version == published


def test_nothing_moves_to_another_challenge_or_track(boss: Client, cast: Cast) -> None:
    track = cast.phase.track
    owners: dict[Model, str] = {
        cast.rivals: "challenge",
        track: "challenge",
        cast.phase: "track",
        track.downloads.get(): "track",
    }

    for item, owner in owners.items():
        form = boss.get(url_of(type(item), "change", item.pk)).context["adminform"].form
        assert owner not in form.fields, item


def test_a_key_that_is_none_is_no_fault_of_ours(boss: Client) -> None:
    answers = {model.__name__: boss.get(url_of(model, "change", "no-key")).status_code for model in OURS}
    assert answers == {model.__name__: 302 for model in OURS}


@pytest.mark.parametrize(("selection", "psnr"), [("best", 31), ("latest", 20)])
def test_another_selection_changes_the_board_at_once(
    boss: Client, cast: Cast, tmp_path: Path, selection: str, psnr: float
) -> None:
    for scored in (31, 20):
        factories.make_scored(cast.phase, cast.team, tmp_path, psnr=scored)
    url = url_of(type(cast.phase), "change", cast.phase.pk)
    form = boss.get(url).context["adminform"].form
    fields = {name: value for name, value in form.initial.items() if value is not None and name in form.fields}
    dates = {
        f"{name}_{part}": f"{getattr(cast.phase, name):{pattern}}"
        for name in ("starts_at", "ends_at")
        for part, pattern in enumerate(("%Y-%m-%d", "%H:%M:%S"))
    }

    response = boss.post(url, {**fields, **dates, "selection": selection})

    assert response.status_code == 302
    assert Standing.objects.get(entry__team=cast.team).metrics["psnr"] == psnr


@pytest.mark.parametrize("zone", ["Zurich", "../../etc/passwd", "UTC\0"])
def test_a_time_zone_that_is_none_is_refused(boss: Client, cast: Cast, zone: str) -> None:
    url = url_of(type(cast.challenge), "change", cast.challenge.pk)

    response = boss.post(url, {"slug": cast.challenge.slug, "title": "T", "time_zone": zone})

    assert response.status_code == 200
    cast.challenge.refresh_from_db()
    assert cast.challenge.time_zone == "UTC"


@pytest.mark.database
def test_a_longer_list_takes_no_more_queries(boss: Client, cast: Cast, tmp_path: Path) -> None:
    cast.phase.quota_per_day = 100
    cast.phase.save()

    def count(submissions: int) -> int:
        for _ in range(submissions):
            factories.make_submission(cast.phase, cast.team, tmp_path)
        with CaptureQueriesContext(connection) as queries:
            boss.get(url_of(Submission, "changelist"))
        return len(queries)

    assert count(2) == count(6)


@pytest.mark.parametrize("role", ["participant", "organiser", "stranger"])
def test_it_is_closed_to_others(cast: Cast, role: str) -> None:
    for model in OURS:
        assert cast.client(role).get(url_of(model, "changelist")).status_code == 302


def test_staff_who_are_no_superusers_find_no_admin(cast: Cast) -> None:
    """An organiser of one challenge must not read another's references, nor make herself its organiser."""
    cast.organiser.is_staff = True
    cast.organiser.save()
    client = cast.client("organiser")

    answers = {client.get(url_of(model, "changelist"), follow=True).status_code for model in OURS}

    assert answers == {404}


def test_strangers_are_sent_to_the_sites_own_sign_in_page(cast: Cast) -> None:
    client = cast.client("signed_out")

    for address in (reverse("admin:index"), reverse("admin:login"), url_of(Submission, "changelist")):
        page = client.get(address, follow=True)
        assert page.redirect_chain[-1][0].startswith("/accounts/login/?next=%2Fadmin%2F")


def test_passwords_are_not_tried_at_the_admins_own_door(cast: Cast) -> None:
    """Django's own form would let anybody try without limit."""
    answer = cast.client("signed_out").post(reverse("admin:login"), {"username": "boss", "password": "a long password"})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


# --- Times and what contradicts itself ---


def phase_fields(boss: Client, cast: Cast, **changes: str) -> dict[str, str]:
    form = boss.get(url_of(type(cast.phase), "change", cast.phase.pk)).context["adminform"].form
    fields = {name: value for name, value in form.initial.items() if value is not None and name in form.fields}
    return {
        **fields,
        "starts_at_0": "2026-03-01",
        "starts_at_1": "12:00:00",
        "ends_at_0": "2026-03-31",
        "ends_at_1": "23:59:00",
        **changes,
    }


def test_times_are_typed_and_shown_in_the_challenges_zone(boss: Client, cast: Cast) -> None:
    Challenge.objects.filter(pk=cast.challenge.pk).update(time_zone="Asia/Shanghai")
    url = url_of(type(cast.phase), "change", cast.phase.pk)

    answer = boss.post(url, phase_fields(boss, cast))

    assert answer.status_code == 302
    cast.phase.refresh_from_db()
    assert cast.phase.ends_at == datetime(2026, 3, 31, 15, 59, tzinfo=UTC)
    html = boss.get(url).content.decode()
    assert 'value="23:59:00"' in html
    assert "Time in Asia/Shanghai, now UTC+08:00." in html


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_at_0": "2026-02-01"}, "ends_at"),
        ({"quota_per_day": "0"}, "quota_per_day"),
        ({"quota_total": "0"}, "quota_total"),
        ({"time_limit_s": "0"}, "time_limit_s"),
    ],
)
def test_a_phase_that_contradicts_itself_is_refused(
    boss: Client, cast: Cast, changes: dict[str, str], field: str
) -> None:
    url = url_of(type(cast.phase), "change", cast.phase.pk)

    answer = boss.post(url, phase_fields(boss, cast, **changes))

    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors


def member_fields(team: Team, user: User) -> dict[str, object]:
    return {
        "challenge": team.challenge_id,
        "name": team.name,
        "kind": team.kind,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": user.pk,
    }


def test_a_new_member_joins_the_teams_own_challenge(boss: Client, cast: Cast) -> None:
    boss.post(url_of(Team, "change", cast.rivals.pk), member_fields(cast.rivals, cast.stranger))

    assert Membership.objects.get(user=cast.stranger).challenge == cast.challenge


def test_nobody_joins_a_second_team_of_a_challenge(boss: Client, cast: Cast) -> None:
    answer = boss.post(url_of(Team, "change", cast.rivals.pk), member_fields(cast.rivals, cast.participant))

    assert answer.status_code == 200
    assert "another team of the challenge" in answer.content.decode()


def test_a_membership_of_another_challenge_than_its_teams_is_never_saved(cast: Cast) -> None:
    with pytest.raises(ValueError, match="another challenge"):
        Membership.objects.create(challenge=factories.make_challenge(), team=cast.team, user=cast.stranger)
