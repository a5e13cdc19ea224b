"""What a storm may not leave behind is seen: one tampered ending after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.ending import Scored, Sent, Standing, faults

GOOD, BETTER = {"psnr": 30.0, "ssim": 0.8}, {"psnr": 31.0, "ssim": 0.7}
SENT = [
    Sent(1, "first", "ada", "quick", GOOD),
    Sent(2, "second", "ada", "quick", BETTER),
    Sent(3, "third", "ada", "quick", BETTER),
    Sent(4, "first", "grace", "quick", GOOD),
]
SCORED = [
    Scored(one.submission, one.key, one.team, one.phase, 10 + one.submission, "scored", one.expected, 1) for one in SENT
]
STANDINGS = [Standing("ada", "quick", 12), Standing("grace", "quick", 14)]
FIRST = SCORED[0]


def test_a_good_end_has_no_faults() -> None:
    assert faults(SENT, SCORED, STANDINGS) == []


@pytest.mark.parametrize(
    ("scored", "fault"),
    [
        (SCORED[1:], "submission 1 was acknowledged and is lost"),
        ([*SCORED, replace(FIRST, evaluation=99)], "submission 1 has 2 current evaluations"),
        ([*SCORED, replace(FIRST, submission=5)], "ada has the request first in quick twice"),
        ([*SCORED, replace(FIRST, submission=5, key="fifth")], "submission 5 was never acknowledged"),
        ([replace(FIRST, status="running"), *SCORED[1:]], "submission 1 is running"),
        ([replace(FIRST, status="failed"), *SCORED[1:]], "submission 1 is failed"),
        ([replace(FIRST, status="", evaluation=None), *SCORED[1:]], "submission 1 is without a current evaluation"),
        ([replace(FIRST, image_scores=2), *SCORED[1:]], "submission 1 has its per-image scores 2 times"),
        ([replace(FIRST, metrics={**GOOD, "psnr": 30.00001}), *SCORED[1:]], "submission 1 has the scores"),
        ([replace(FIRST, metrics={}), *SCORED[1:]], "submission 1 has the scores {}"),
        ([replace(FIRST, team="grace"), *SCORED[1:]], "was sent as ('ada', 'quick', 'first')"),
    ],
)
def test_a_bad_submission_is_seen(scored: list[Scored], fault: str) -> None:
    assert any(fault in found for found in faults(SENT, scored, STANDINGS))


def test_two_acknowledgements_of_one_submission_are_seen() -> None:
    twice = [*SENT, Sent(4, "second", "grace", "quick", GOOD)]
    assert "two requests were acknowledged as submission 4" in faults(twice, SCORED, STANDINGS)


@pytest.mark.parametrize(
    ("standings", "fault"),
    [
        (STANDINGS[1:], "ada does not stand in quick with evaluation 12"),
        ([*STANDINGS, STANDINGS[0]], "ada stands in quick with evaluation 12, and should not"),
        # the worse one, and the later one of two that are equal
        ([Standing("ada", "quick", 11), STANDINGS[1]], "ada stands in quick with evaluation 11, and should not"),
        ([Standing("ada", "quick", 13), STANDINGS[1]], "ada stands in quick with evaluation 13, and should not"),
    ],
)
def test_a_bad_standing_is_seen(standings: list[Standing], fault: str) -> None:
    assert fault in faults(SENT, SCORED, standings)
