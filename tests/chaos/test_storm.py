"""The short form of the storm, on both databases: `make chaos` has the long one."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.chaos.plan import short_plan
from tests.chaos.report import section
from tests.chaos.storm import storm

if TYPE_CHECKING:
    from pathlib import Path

SEED = 2022


@pytest.mark.processes
@pytest.mark.parametrize(("database", "store"), [("sqlite", "disk"), ("postgres", "s3")])
def test_whatever_dies_nothing_is_lost_stuck_or_counted_twice(database: str, store: str, tmp_path: Path) -> None:
    plan = short_plan(database, store, SEED)
    outcome = storm(plan, tmp_path)
    # pytest shows it where something is wrong
    sys.stdout.write(section(outcome, "make pytest"))
    assert outcome.faults == []
    assert len(outcome.acknowledged) == plan.submissions == 12
    assert outcome.refusals == 2 * plan.teams, "a quota took more than it allows"
    assert Counter(death.kill for death in outcome.deaths) == Counter(plan.kills)
