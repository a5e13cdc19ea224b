"""How long `manage.py demo` waits for the scores: as long as there are new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.management.base import CommandError

from bayerboard.demo.management.commands import demo
from bayerboard.evaluations.models import Evaluation, Status
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


@pytest.fixture(autouse=True)
def _three_are_queued(cast: Cast, tmp_path: Path) -> None:
    for _ in range(3):
        factories.make_submission(cast.phase, cast.team, tmp_path)


def let_time_pass(monkeypatch: pytest.MonkeyPatch, *, workers: bool) -> list[float]:
    """Let each look cost 200 s, in which workers, if there are any, score one; return the clock."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += 200
        if workers and (waiting := Evaluation.objects.filter(status=Status.QUEUED).first()):
            Evaluation.objects.filter(pk=waiting.pk).update(status=Status.SCORED)

    monkeypatch.setattr(f"{demo.__name__}.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(f"{demo.__name__}.time.sleep", sleep)
    return clock


def test_it_waits_while_something_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = let_time_pass(monkeypatch, workers=True)

    demo.Command()._wait()

    assert clock[0] == 600 > demo.NOTHING_SCORED_FOR_S


def test_it_gives_up_where_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    let_time_pass(monkeypatch, workers=False)

    with pytest.raises(CommandError, match="3 submissions wait, and for 300 s none was scored"):
        demo.Command()._wait()
