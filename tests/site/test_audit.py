"""The audit log: each act of those who run a challenge stands in it, and stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.urls import reverse

from bayerboard.accounts.models import User
from bayerboard.challenges.audit import COMMAND_LINE, Act, AppendOnly, record
from bayerboard.challenges.grants import give_role, take_role
from bayerboard.challenges.models import AuditEntry, Download
from bayerboard.leaderboards.disqualification import set_disqualified
from bayerboard.rescoring import planning, publication
from bayerboard.submissions.trials import delete_trial
from bayerboard.teams.origin import Origin
from scoring.protocol import load_protocol
from tests import factories

if TYPE_CHECKING:
    from django.test import Client

    from tests.factories import Cast

pytestmark = pytest.mark.database


def entries(cast: Cast) -> list[tuple[str, str, str]]:
    """Return actor, act and subject of each entry, oldest first, without those of the cast's own making."""
    found = AuditEntry.objects.filter(challenge=cast.challenge).order_by("pk")
    return [(entry.actor, entry.act, entry.subject) for entry in found][1:]


@pytest.fixture
def boss(cast: Cast) -> Client:
    user = factories.make_user("boss", is_superuser=True, is_staff=True)
    client = cast.client("signed_out")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_roles(cast: Cast) -> None:
    name = cast.organiser.username
    give_role(cast.challenge, cast.stranger, "viewer", by=cast.organiser)
    take_role(cast.challenge, cast.stranger, by=cast.organiser)

    subject = f"user {cast.stranger.username}"
    assert entries(cast) == [(name, "role-given", subject), (name, "role-taken", subject)]
    assert AuditEntry.objects.filter(act=Act.ROLE_GIVEN).first().after == {"role": "viewer"}  # type: ignore[union-attr]


def test_a_rescore(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    run = planning.start(cast.phase.path, planning.plan([cast.phase], None), "a wrong reference", by=cast.organiser)
    factories.record(submission.evaluations.get(scoring_version__run=run), psnr=31)
    publication.publish(run, by=cast.organiser)

    subject, name = f"phase {cast.phase.path}", cast.organiser.username
    assert entries(cast) == [(name, "rescore-planned", subject), (name, "rescore-published", subject)]
    published = AuditEntry.objects.first()
    assert published is not None
    assert (published.before, published.after) == ({"scoring_version": 1}, {"scoring_version": 2})
    assert published.reason == "a wrong reference"


def test_a_rescore_counts_what_came_in_after_its_plan(cast: Cast, tmp_path: Path) -> None:
    factories.make_submission(cast.phase, cast.team, tmp_path)
    plans = planning.plan([cast.phase], None)
    factories.make_submission(cast.phase, cast.team, tmp_path)
    planning.start(cast.phase.path, plans, "")

    assert AuditEntry.objects.get(act=Act.RESCORE_PLANNED).after == {"scoring_version": 2, "submissions": 2}


def test_a_disqualification_and_its_end(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    for disqualified in (True, False):
        set_disqualified([submission], disqualified=disqualified, by=cast.organiser, reason="found twice")

    subject, name = f"submission {submission.pk}", cast.organiser.username
    assert entries(cast) == [(name, "disqualified", subject), (name, "requalified", subject)]
    first = AuditEntry.objects.get(act=Act.DISQUALIFIED)
    assert first.before == {"disqualified": False, "reason": ""}
    assert first.after == {"disqualified": True, "reason": "found twice", "team": cast.team.name}


def test_a_trial_that_is_deleted(cast: Cast, tmp_path: Path) -> None:
    trial = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30, origin=Origin.TRIAL, user=cast.organiser)
    delete_trial(trial, cast.organiser)

    assert entries(cast) == [(cast.organiser.username, "trial-deleted", f"submission {trial.pk}")]


def test_a_baseline_that_is_started(db: None, tmp_path: Path) -> None:
    cast = factories.make_cast(tmp_path, protocol=load_protocol("aim22-s7"))
    call_command("run_baseline", "mosaic", cast.phase.path, no_wait=True)

    assert entries(cast) == [(COMMAND_LINE, "baseline-started", f"phase {cast.phase.path}")]


def test_a_change_in_the_admin(boss: Client, cast: Cast) -> None:
    page = reverse("admin:teams_team_change", args=[cast.rivals.pk])
    boss.post(
        page,
        {
            "challenge": cast.challenge.pk,
            "name": "Day Shift",
            "kind": cast.rivals.kind,
            "memberships-TOTAL_FORMS": 1,
            "memberships-INITIAL_FORMS": 0,
            "memberships-0-user": cast.stranger.pk,
        },
    )

    (renamed, joined) = AuditEntry.objects.filter(actor="boss").order_by("pk")
    assert (renamed.act, renamed.before, renamed.after) == ("changed", {"name": "Night Shift"}, {"name": "Day Shift"})
    assert (joined.act, joined.subject) == ("created", f"membership {cast.stranger} in Day Shift")


def test_a_submission_and_its_fact_sheet_that_are_changed_in_the_admin(
    boss: Client, cast: Cast, tmp_path: Path
) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30, method_name="Before")
    sheet = submission.fact_sheets.get()
    boss.post(
        reverse("admin:submissions_submission_change", args=[submission.pk]),
        {
            "method_name": "After",
            "fact_sheets-TOTAL_FORMS": 1,
            "fact_sheets-INITIAL_FORMS": 1,
            "fact_sheets-0-id": sheet.pk,
            "fact_sheets-0-runtime_s": 0.25,
            "fact_sheets-0-device": sheet.device,
            "fact_sheets-0-extra_data": "false",
            "fact_sheets-0-description": sheet.description,
        },
    )

    (renamed, sheet_changed) = AuditEntry.objects.filter(actor="boss").order_by("pk")
    assert (renamed.before, renamed.after) == ({"method_name": "Before"}, {"method_name": "After"})
    assert (sheet_changed.before, sheet_changed.after) == ({"runtime_s": "0.5"}, {"runtime_s": "0.25"})


def test_roles_that_are_given_and_taken_in_the_admin(boss: Client, cast: Cast) -> None:
    boss.post(
        reverse("admin:challenges_challenge_change", args=[cast.challenge.pk]),
        {
            "slug": cast.challenge.slug,
            "title": cast.challenge.title,
            "terms": cast.challenge.terms,
            "time_zone": "UTC",
            "is_listed": "on",
            "grants-TOTAL_FORMS": 2,
            "grants-INITIAL_FORMS": 1,
            "grants-0-id": cast.challenge.grants.get().pk,
            "grants-0-user": cast.organiser.pk,
            "grants-0-role": "viewer",
            "grants-1-user": cast.stranger.pk,
            "grants-1-role": "owner",
        },
    )

    found = AuditEntry.objects.filter(actor="boss", act=Act.ROLE_GIVEN).order_by("pk")
    assert [(entry.subject, entry.before, entry.after) for entry in found] == [
        (f"user {cast.stranger.username}", {"role": None}, {"role": "owner"}),
        (f"user {cast.organiser.username}", {"role": "owner"}, {"role": "viewer"}),
    ]
    assert cast.challenge.grants.get(role="owner").granted_by == User.objects.get(username="boss")


def test_what_is_deleted_in_the_admin(boss: Client, cast: Cast) -> None:
    one, *others = [
        Download.objects.create(track=cast.phase.track, title=title, filename="f.zip", storage_key="k", size_bytes=1)
        for title in ("Kit", "Poses", "Masks")
    ]

    assert boss.post(reverse("admin:challenges_download_delete", args=[one.pk]), {"post": "yes"}).status_code == 302
    # And from the list, several at once.
    chosen = {"action": "delete_selected", "_selected_action": [other.pk for other in others], "post": "yes"}
    assert boss.post(reverse("admin:challenges_download_changelist"), chosen).status_code == 302

    assert not Download.objects.exists()
    assert set(entries(cast)) == {("boss", "deleted", f"download {item}") for item in (one, *others)}


def test_each_act_has_a_test_here() -> None:
    """Those of the challenge file are tested with it: test_create_challenge.py."""
    here = Path(__file__).read_text("utf-8")
    elsewhere = {Act.CREATED, Act.CHANGED}
    assert [act for act in Act if act not in elsewhere and f'"{act.value}"' not in here] == []


# --- It stays ---


def test_an_entry_is_neither_changed_nor_removed(cast: Cast) -> None:
    entry = record(cast.challenge, cast.organiser, Act.CHANGED, "phase x")

    with pytest.raises(AppendOnly):
        entry.save()
    with pytest.raises(AppendOnly):
        entry.delete()
    with pytest.raises(AppendOnly):
        AuditEntry.objects.all().delete()
    with pytest.raises(AppendOnly):
        AuditEntry.objects.update(subject="another")


def test_the_name_stays_when_the_account_goes(cast: Cast) -> None:
    user = factories.make_user("gone")
    entry = record(cast.challenge, user, Act.CHANGED, "phase x")
    user.delete()

    entry.refresh_from_db()
    assert (entry.user, entry.actor) == (None, "gone")


def test_it_goes_with_its_challenge(db: None) -> None:
    challenge = factories.make_challenge()
    record(challenge, None, Act.CREATED, "challenge x")
    challenge.delete()

    assert not AuditEntry.objects.exists()


def test_long_texts_are_cut(cast: Cast) -> None:
    entry = record(cast.challenge, None, Act.CHANGED, "x" * 500, reason="y" * 500)
    assert (len(entry.subject), len(entry.reason)) == (200, 300)
