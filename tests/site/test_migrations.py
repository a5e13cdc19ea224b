"""The migrations make the tables that the models describe, and take what lies there along."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from bayerboard.leaderboards.models import Standing
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
