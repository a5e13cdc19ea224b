"""A submission that needs more memory than a worker has fails alone: in a process of its own, with real images."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection

from bayerboard.evaluations.models import Status
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.challenges.models import Phase


# Beside what the libraries take. A reference and a prediction of the large size, and what is made of them, are beyond.
FREE_MB = 50
LARGE = replace(factories.SMALL_S7, shape=(2000, 2000, 4))

# What a child of Celery does with its messages, on the database of this test.
CHILD = """
import sys
import django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from django.conf import settings
from workers.score import score_next, warm_up
warm_up()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
settings.WORKER_MEMORY_MB = int(status["VmData"].split()[0]) // 1024 + int(sys.argv[3])
for _ in range(int(sys.argv[2])):
    score_next()
"""


def noise(seed: int) -> factories.PackedRaw:
    return np.random.default_rng(seed).integers(0, 1024, LARGE.shape, np.uint16)


def make_large_phase(folder: Path) -> Phase:
    phase = factories.make_phase(folder, names=("6_0",))
    type(phase.track).objects.update(protocol_data=LARGE.to_json())
    phase.track.refresh_from_db()
    version = factories.publish_reference(phase, {"6_0": noise(seed=1)}, folder)
    version.save()
    phase.published_version = version
    phase.save(update_fields=["published_version"])
    return phase


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_small_one_after_it_is_scored_by_the_same_process(tmp_path: Path, settings: Settings) -> None:
    large = make_large_phase(tmp_path)
    small = factories.make_phase(tmp_path)
    archive = factories.write_zip(tmp_path / "large.zip", {"6_0": noise(seed=2)})
    hungry = factories.make_submission(large, factories.make_team(large.track.challenge), tmp_path, archive=archive)
    modest = factories.make_submission(small, factories.make_team(small.track.challenge), tmp_path)
    environment = {**os.environ, "BAYERBOARD_STORAGE": str(settings.STORAGE_DIR)}
    command = [sys.executable, "-c", CHILD, str(connection.settings_dict["NAME"]), "2", str(FREE_MB)]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    evaluation = hungry.evaluation
    assert (evaluation.status, evaluation.failure_code) == (Status.FAILED, "memory-limit-reached"), done.stderr
    assert evaluation.attempts == 1
    assert modest.evaluation.status == Status.SCORED, done.stderr
