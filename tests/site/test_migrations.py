"""The migrations make the tables that the models describe, and take what lies there along."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from bayerboard.leaderboards.models import Standing
from bayerboard.mails.kinds import Priority
from bayerboard.mails.models import Mail, State
from bayerboard.notices.models import MAIL_KIND, Notice
from bayerboard.submissions.models import Submission
from bayerboard.teams.models import Team
from bayerboard.teams.origin import Origin
from bayerboard.uploads.models import Upload
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.database


@pytest.mark.django_db
def test_nothing_is_missing() -> None:
    said = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=said)

    assert said.getvalue() == "No changes detected\n"


@pytest.mark.django_db(transaction=True)
def test_standings_take_the_scoring_version_of_their_evaluation(tmp_path: Path) -> None:
    phase = factories.make_phase(tmp_path)
    factories.make_scored(phase, factories.make_team(phase.track.challenge), tmp_path, psnr=30)

    call_command("migrate", "leaderboards", "0002", verbosity=0)
    call_command("migrate", "leaderboards", verbosity=0)

    assert Standing.objects.get().scoring_version == phase.published_version


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_before_origins_is_a_baselines_or_a_participants(tmp_path: Path) -> None:
    """Nobody can know which of it were an organiser's trials."""
    phase = factories.make_phase(tmp_path)
    baseline = factories.make_baseline_team(phase.track.challenge, "Mosaic")
    people = factories.make_team(phase.track.challenge, "Bayer Street")
    expected = {
        factories.make_submission(phase, baseline, tmp_path, origin=Origin.BASELINE).pk: Origin.BASELINE,
        factories.make_submission(phase, people, tmp_path).pk: Origin.PARTICIPANT,
        factories.make_submission(phase, people, tmp_path, origin=Origin.TRIAL).pk: Origin.PARTICIPANT,
    }

    call_command("migrate", "teams", "0001", verbosity=0)
    call_command("migrate", verbosity=0)

    assert dict(Submission.objects.values_list("pk", "origin")) == expected
    assert dict(Upload.objects.values_list("submission", "origin")) == expected
    assert dict(Team.objects.values_list("name", "kind")) == {"Mosaic": "baseline", "Bayer Street": "people"}


def model_at(app: str, migration: str, name: str) -> Any:
    """Return a model as it was after a migration."""
    return MigrationLoader(connection).project_state((app, migration)).apps.get_model(app, name)


@pytest.mark.django_db(transaction=True)
def test_mails_that_wait_move_from_notices_into_the_table_of_mails(tmp_path: Path) -> None:
    phase = factories.make_phase(tmp_path)
    ada, bob = factories.make_user("ada"), factories.make_user("bob")
    EmailAddress.objects.create(user=ada, email="ada@example.org", primary=True, verified=True)
    EmailAddress.objects.create(user=bob, email="bob@example.org", primary=True, verified=False)
    submission = factories.make_submission(phase, factories.make_team(phase.track.challenge), tmp_path)
    due_at = timezone.now() + timedelta(hours=1)

    call_command("migrate", "notices", "0001", verbosity=0)
    old = model_at("notices", "0001_initial", "Notice").objects
    fields = {"submission_id": submission.pk, "kind": "result"}
    kept = {
        state: old.create(user_id=ada.pk, mail=state, mail_attempts=3, mail_due_at=due_at, **fields).pk
        for state in ("none", "pending", "sending", "sent", "failed")
    }
    old.create(user_id=bob.pk, mail="pending", **fields)
    call_command("migrate", "notices", verbosity=0)

    moved = set(Mail.objects.values_list("about", "state", "address", "user_id", "attempts", "due_at"))
    assert moved == {
        (kept["pending"], State.PENDING, "ada@example.org", ada.pk, 3, due_at),
        (kept["sending"], State.FAILED, "ada@example.org", ada.pk, 3, due_at),
    }
    assert set(Mail.objects.values_list("kind", "priority")) == {(MAIL_KIND, Priority.NOTICE)}
    assert Notice.objects.count() == 6
