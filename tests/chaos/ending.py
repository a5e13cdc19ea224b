"""What is in the database when the storm is over, and everything that may not be so; on plain values."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.e2e.running import Bayerboard, Row

# The same code on the same data: what differs at all is another result.
TOLERANCE = 1e-9

EVALUATIONS = """SELECT submission.id AS submission, submission.idempotency_key AS key, team.name AS team,
    phase.slug AS phase, submission.submitted_at, evaluation.id AS evaluation, evaluation.status, evaluation.attempts,
    evaluation.metrics, evaluation.started_at, evaluation.finished_at,
    (SELECT COUNT(*) FROM evaluations_imagescores scores WHERE scores.evaluation_id = evaluation.id) AS image_scores
    FROM submissions_submission submission
    JOIN submissions_entry entry ON entry.id = submission.entry_id
    JOIN teams_team team ON team.id = entry.team_id
    JOIN challenges_phase phase ON phase.id = entry.phase_id
    LEFT JOIN evaluations_evaluation evaluation ON evaluation.submission_id = submission.id
        AND evaluation.scoring_version_id = phase.published_version_id
    ORDER BY submission.submitted_at, submission.id"""
STANDINGS = """SELECT team.name AS team, phase.slug AS phase, standing.evaluation_id AS evaluation
    FROM leaderboards_standing standing
    JOIN submissions_entry entry ON entry.id = standing.entry_id
    JOIN teams_team team ON team.id = entry.team_id
    JOIN challenges_phase phase ON phase.id = entry.phase_id"""
UNFINISHED = "SELECT COUNT(*) AS n FROM evaluations_evaluation WHERE status IN ('queued', 'running')"


@dataclass(frozen=True)
class Sent:
    """An acknowledged submission, and the scores that its archive has when it is scored directly."""

    submission: int
    key: str
    team: str
    phase: str
    expected: Mapping[str, float]


@dataclass(frozen=True)
class Scored:
    """A submission and its evaluation under the published version, as the database has them."""

    submission: int
    key: str
    team: str
    phase: str
    evaluation: int | None
    status: str
    metrics: Mapping[str, float]
    image_scores: int


@dataclass(frozen=True)
class Standing:
    """A row of a board."""

    team: str
    phase: str
    evaluation: int | None


def read(bayerboard: Bayerboard) -> tuple[list[Scored], list[Standing]]:
    """Return every submission in the order in which they came, and every standing."""
    scored = [_scored(row) for row in bayerboard.rows(EVALUATIONS)]
    return scored, [Standing(**row) for row in bayerboard.rows(STANDINGS)]


def _scored(row: Row) -> Scored:
    names = ("submission", "key", "team", "phase", "evaluation", "image_scores")
    kept: dict[str, Any] = {name: row[name] for name in names}
    return Scored(**kept, status=row["status"] or "", metrics=json.loads(row["metrics"] or "{}"))


def faults(sent: Sequence[Sent], scored: Sequence[Scored], standings: Sequence[Standing]) -> list[str]:
    """Return everything that was lost, stuck, counted twice, or scored wrongly."""
    rows = Counter(row.submission for row in scored)
    acknowledged = {one.submission: one for one in sent}
    found = [f"submission {one.submission} was acknowledged and is lost" for one in sent if one.submission not in rows]
    found += [f"submission {pk} has {n} current evaluations" for pk, n in rows.items() if n > 1]
    found += [f"two requests were acknowledged as submission {pk}" for pk in _twice([one.submission for one in sent])]
    found += [
        f"{team} has the request {key} in {phase} twice"
        for team, phase, key in _twice([_request(row) for row in scored])
    ]
    for row in scored:
        one = acknowledged.get(row.submission)
        if one is None:
            found.append(f"submission {row.submission} was never acknowledged")
        else:
            found += [f"submission {row.submission} {what}" for what in _faults_of(one, row)]
    return [*found, *_faults_of_standings(sent, scored, standings)]


def _request(one: Sent | Scored) -> tuple[str, str, str]:
    return one.team, one.phase, one.key


def _twice(values: Sequence[Any]) -> list[Any]:
    return [value for value, n in Counter(values).items() if n > 1]


def _faults_of(one: Sent, row: Scored) -> list[str]:
    found = []
    if _request(one) != _request(row):
        found.append(f"is {_request(row)}, and was sent as {_request(one)}")
    if row.status != "scored":
        found.append(f"is {row.status or 'without a current evaluation'}")
    elif row.image_scores != 1:
        found.append(f"has its per-image scores {row.image_scores} times")
    elif differs(row.metrics, one.expected):
        found.append(f"has the scores {row.metrics}, and not {one.expected}")
    return found


def differs(metrics: Mapping[str, float], expected: Mapping[str, float]) -> bool:
    if metrics.keys() != expected.keys():
        return True
    return any(abs(metrics[name] - value) > TOLERANCE for name, value in expected.items())


def _faults_of_standings(sent: Sequence[Sent], scored: Sequence[Scored], standings: Sequence[Standing]) -> list[str]:
    """Each team that sent something stands on the phase's board once, with its best: of equals, the earliest."""
    expected = {one.submission: one.expected["psnr"] for one in sent}
    best: dict[tuple[str, str], Scored] = {}
    for row in scored:
        place = (row.team, row.phase)
        # strictly better: they come in the order in which they were sent
        if row.submission in expected and (
            place not in best or expected[row.submission] > expected[best[place].submission]
        ):
            best[place] = row
    wanted = Counter((team, phase, row.evaluation) for (team, phase), row in best.items())
    shown = Counter((row.team, row.phase, row.evaluation) for row in standings)
    return [
        *(f"{team} does not stand in {phase} with evaluation {pk}" for team, phase, pk in wanted - shown),
        *(f"{team} stands in {phase} with evaluation {pk}, and should not" for team, phase, pk in shown - wanted),
    ]
