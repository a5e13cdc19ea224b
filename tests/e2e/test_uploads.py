"""An archive that arrives in parts, at a real server that is killed meanwhile."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import CHALLENGE
from tests.e2e.uploader import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Phases
    from tests.e2e.running import Bayerboard

pytestmark = pytest.mark.processes


def test_an_upload_whose_server_is_killed_goes_on_byte_for_byte(
    bayerboard: Bayerboard, phases: Phases, tmp_path: Path
) -> None:
    phase = phases.large.path(CHALLENGE)
    archive = phases.large.zip(tmp_path / "large.zip", 40)
    uploader = Uploader(bayerboard.url, "uploader")
    uploader.join(CHALLENGE, uploader.name)
    uploader.read_token(phase)
    plan = uploader.open(phase, archive)
    assert len(plan.parts) >= 2

    parts = [uploader.send_part(plan, 1)]
    with uploader.begin_part(plan, 2):
        bayerboard.wait_for_restart("web", bayerboard.kill_program("web"))
    bayerboard.wait_for(bayerboard.address.is_healthy)

    assert uploader.arrived(plan) == [1]
    with ThreadPoolExecutor(4) as threads:
        parts += threads.map(functools.partial(uploader.send_part, plan), sorted(plan.parts)[1:])
    assert uploader.complete(plan, parts) == archive.stat().st_size
    answer = uploader.send(uploader.form_of(plan, phase, "sent-after-a-kill"))

    assert answer.submission is not None, answer.text
    assert bayerboard.wait_for_end(answer.submission)["status"] == "scored"
    assert uploader.download(f"/submissions/{answer.submission}/archive/") == archive.read_bytes()
