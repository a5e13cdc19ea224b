"""Every bad archive there is a code for, through the real upload and the real workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import CHALLENGE, OUTSIDE
from tests.e2e.pages import text_of
from tests.e2e.visitor import Visitor
from tests.scoring.archives import BAD_ARCHIVES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Phases
    from tests.e2e.running import Bayerboard

# With PostgreSQL and Valkey, as in production. tests/workers/test_bad_archives.py covers SQLite.
pytestmark = [pytest.mark.processes, pytest.mark.parametrize("installation", [OUTSIDE], indirect=True, scope="session")]

# Refused when it arrives: nothing is stored, and nobody needs to score it.
REFUSED = "archive-empty"


def test_every_bad_archive_is_kept_explained_and_costs_nothing(
    bayerboard: Bayerboard, phases: Phases, tmp_path: Path
) -> None:
    visitor = Visitor(bayerboard.url, "clumsy")
    visitor.join(CHALLENGE, visitor.name)
    phase = phases.development
    images, path = phase.predictions(5), phase.path(CHALLENGE)
    workers = bayerboard.children("score")
    before = bayerboard.stored_archives()

    sent = {}
    for code, build in BAD_ARCHIVES.items():
        form = visitor.fill_in(path, build(tmp_path / f"{code}.zip", images), f"bad-{code}")
        answer = visitor.send(form)
        if code == REFUSED:
            assert (answer.status, REFUSED in answer.text) == (400, True)
        else:
            assert answer.submission is not None, f"{code}: {answer.status} {text_of(answer.text)}"
            sent[code] = answer.submission

    for code, submission in sent.items():
        ended = bayerboard.wait_for_end(submission)
        errors = json.loads(ended["errors"])
        assert (ended["status"], ended["attempts"]) == ("rejected", 1), code
        assert code in [error["code"] for error in errors]
        page = text_of(visitor.get(f"/submissions/{submission}/"))
        for error in errors:
            assert f"{error['code']} {error['file']}" in page
            assert error["message"] in page
            assert error["hint"] in page
    assert len(bayerboard.stored_archives() - before) == len(sent)
    assert bayerboard.children("score") == workers, "an archive cost a worker its life"
    assert "Used today 0 of 50" in text_of(visitor.get(f"/challenges/{path}/submit/"))
