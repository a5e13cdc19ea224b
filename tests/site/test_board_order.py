"""What is remembered of a board's order, and when it is made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayerboard.challenges.models import Compared, Phase
from bayerboard.leaderboards.board import board_page
from bayerboard.leaderboards.models import Standing, rank_metrics
from bayerboard.submissions.models import Submission
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.protocol import Protocol
    from tests.factories import Cast

pytestmark = pytest.mark.database


@pytest.fixture
def rankings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect how many rows were ranked, each time that they were."""
    counted: list[int] = []

    def rank_and_count(
        protocol: Protocol, rows: list[dict[str, float]], ranked: list[bool], *, as_shown: bool
    ) -> object:
        counted.append(len(rows))
        return rank_metrics(protocol, rows, ranked, as_shown=as_shown)

    monkeypatch.setattr("bayerboard.leaderboards.order.rank_metrics", rank_and_count)
    return counted


def teams(cast: Cast) -> list[tuple[int | None, str]]:
    return [(row.rank, row.team) for row in board_page(cast.phase, cast.user("stranger")).rows]


def test_a_board_that_did_not_change_is_ranked_once(cast: Cast, tmp_path: Path, rankings: list[int]) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    assert teams(cast) == teams(cast) == [(1, cast.team.name)]
    assert rankings == [1]


def test_a_reader_from_before_the_phase_was_over_leaves_no_unrounded_order(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=31.001)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=31.002)

    for compared in (Compared.EXACT, Compared.SHOWN):
        # As settling does, while the reader holds the phase as it was.
        Phase.objects.filter(pk=cast.phase.pk).update(compared=compared)
        Standing.objects.rebuild(cast.phase)
        found = teams(cast)

    assert [rank for rank, _ in found] == [1, 1]


def test_a_better_submission_is_seen_at_once(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=31)
    assert [name for _, name in teams(cast)] == [cast.rivals.name, cast.team.name]

    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=32)

    assert [name for _, name in teams(cast)] == [cast.team.name, cast.rivals.name]


def test_a_row_that_goes_is_gone_at_once(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    factories.make_scored(cast.phase, cast.rivals, tmp_path, psnr=31)
    assert len(teams(cast)) == 2

    Submission.objects.get(entry__team=cast.rivals).entry.standings.all().delete()

    assert teams(cast) == [(1, cast.team.name)]
