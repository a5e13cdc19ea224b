"""The migrations make the tables that the models describe, and take what lies there along."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from bayerboard.leaderboards.models import Standing
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
