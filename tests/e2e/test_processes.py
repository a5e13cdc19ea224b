"""What must hold whatever dies: an acknowledged submission is never lost, scored twice, or stuck."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from bayerboard.demo.participant import Participant
from tests.e2e.conftest import CHALLENGE, LONG
from tests.e2e.oracle import mean_scores, score_images
from tests.e2e.pages import board_of, text_of
from tests.e2e.running import manage, running
from tests.e2e.visitor import Visitor
from tests.operations.processes import is_running
from tests.patience import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.challenge import PhaseData
    from tests.e2e.conftest import Phases
    from tests.e2e.running import Bayerboard, Row

pytestmark = pytest.mark.processes

_numbers = count(1)


@pytest.fixture
def visitor(bayerboard: Bayerboard) -> Visitor:
    """Give somebody who has just joined the challenge."""
    one = Visitor(bayerboard.url, f"process{next(_numbers)}")
    one.join(CHALLENGE, one.name)
    return one


def send(visitor: Visitor, phase: PhaseData, folder: Path, sigma: float = 10, method: str = "A method") -> int:
    """Submit to a phase; return the submission."""
    archive = phase.zip(folder / f"{next(_numbers)}.zip", sigma)
    return visitor.submit(phase.path(CHALLENGE), archive, method)


def standings_of(bayerboard: Bayerboard, submission: int) -> list[Row]:
    """Return the rows that the submission's team has on the board of its phase."""
    return bayerboard.rows(
        """SELECT standing.* FROM leaderboards_standing standing
        JOIN submissions_submission submission ON submission.entry_id = standing.entry_id
        WHERE submission.id = ?""",
        submission,
    )


def wait_until_running(bayerboard: Bayerboard, submission: int) -> Row:
    """Return the evaluation of a submission in the middle of its scoring."""

    def look() -> Row | None:
        row = bayerboard.evaluation(submission)
        assert row["status"] in {"queued", "running"}, "over before it could be disturbed"
        return row if row["images_done"] else None

    return bayerboard.wait_for(look)


def expect_scored_at_second_attempt(bayerboard: Bayerboard, submission: int) -> None:
    """Wait for the end; see that the scores are whole, and stored once."""
    ended = bayerboard.wait_for_end(submission)
    assert (ended["status"], ended["attempts"], ended["images_done"]) == ("scored", 2, LONG)
    assert len(bayerboard.rows("SELECT * FROM evaluations_imagescores WHERE evaluation_id = ?", ended["id"])) == 1
    assert len(standings_of(bayerboard, submission)) == 1


def test_what_is_named_by_url_is_used_and_nothing_else(bayerboard: Bayerboard) -> None:
    beside = {path.name for path in bayerboard.data_dir.iterdir()}
    if bayerboard.outside is None:
        assert {"bayerboard.sqlite3", "secret_key", "valkey"} <= beside
    else:
        assert not {"bayerboard.sqlite3", "secret_key", "valkey"} & beside
        assert bayerboard.rows("SELECT slug FROM challenges_challenge") == [{"slug": CHALLENGE}]
        assert bayerboard.outside.valkey is not None
        with bayerboard.outside.valkey.client() as client:
            assert len(client.client_list()) > 1, "nobody but this test asks the broker"


def test_a_killed_worker_costs_an_attempt_and_nothing_else(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    submission = send(visitor, phases.long, tmp_path)
    worker = int(wait_until_running(bayerboard, submission)["worker"].rpartition("/")[2])
    assert worker in bayerboard.children("score")
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not is_running(worker))
    expect_scored_at_second_attempt(bayerboard, submission)
    board = board_of(visitor.get(f"/challenges/{phases.long.path(CHALLENGE)}/"))
    assert [rank for rank, team in board if team.startswith(visitor.name)] == ["1"]


def test_after_a_power_cut_everything_goes_on_where_it_was(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    with bayerboard.workers_held():
        submissions = [send(visitor, phase, tmp_path) for phase in (phases.long, phases.development)]
    wait_until_running(bayerboard, submissions[0])
    bayerboard.cut_power()
    assert bayerboard.evaluation(submissions[0])["status"] == "running"
    bayerboard.start_again()
    expect_scored_at_second_attempt(bayerboard, submissions[0])
    assert bayerboard.wait_for_end(submissions[1])["status"] == "scored"
    assert "A method" in visitor.get(f"/submissions/{submissions[1]}/")


def test_a_broker_that_forgets_everything_loses_no_submission(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    with bayerboard.workers_held():
        submissions = [send(visitor, phases.development, tmp_path, sigma) for sigma in (4, 8, 16)]
        died = bayerboard.kill_program("broker")
        bayerboard.forget_messages()
        bayerboard.wait_for_restart("broker", died)
        assert {bayerboard.evaluation(pk)["status"] for pk in submissions} == {"queued"}
    assert [bayerboard.wait_for_end(pk)["status"] for pk in submissions] == ["scored"] * 3


def test_what_is_sent_while_the_broker_is_away_is_scored_once_it_is_back(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    with bayerboard.supervisor_held():
        died = bayerboard.kill_program("broker")
        submission = send(visitor, phases.development, tmp_path)
        assert "queued" in visitor.get(f"/submissions/{submission}/")
    bayerboard.wait_for_restart("broker", died)
    assert bayerboard.wait_for_end(submission)["status"] == "scored"


def test_a_killed_site_comes_back_and_knows_its_people(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    submission = send(visitor, phases.development, tmp_path)
    died = bayerboard.kill_program("web")
    bayerboard.wait_for_restart("web", died)
    bayerboard.wait_for(bayerboard.address.is_healthy)
    assert "A method" in visitor.get(f"/submissions/{submission}/")
    assert bayerboard.wait_for_end(submission)["status"] == "scored"


def test_an_upload_that_stops_half_way_is_refused_and_leaves_nothing(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    form = visitor.fill_in(
        phases.development.path(CHALLENGE), phases.development.zip(tmp_path / "half.zip", 9), "half-a-request"
    )
    before = bayerboard.stored_archives()
    answer = visitor.send_half(form).decode()
    assert answer.startswith("HTTP/1.1 400 "), answer[:200]
    assert "upload-incomplete" in answer
    assert "half.zip" in text_of(answer)
    assert not bayerboard.rows("SELECT * FROM submissions_submission WHERE idempotency_key = 'half-a-request'")
    bayerboard.wait_for(lambda: bayerboard.stored_archives() <= before)


def test_what_is_refused_is_answered_before_it_is_sent(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    # a form that was open when the phase closed
    opened = visitor.fill_in(
        phases.development.path(CHALLENGE), phases.development.zip(tmp_path / "late.zip", 9), "a-late-request"
    )
    path = f"/challenges/{phases.closed.path(CHALLENGE)}/submit/"
    late = replace(opened, path=path, body=opened.body + bytes(4 * 2**20))
    answer, rest = visitor.listen_while_sending(late)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert "phase-closed" in answer.decode()
    assert rest.strip() == b""


def test_one_request_sent_ten_times_at_once_is_one_submission(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    archive = phases.development.zip(tmp_path / "same.zip", 9)
    form = visitor.fill_in(phases.development.path(CHALLENGE), archive, "the-same-request")
    before = bayerboard.stored_archives()
    answers = visitor.send_all([form] * 10)
    assert [answer.status for answer in answers] == [302] * 10
    assert len({answer.submission for answer in answers} - {None}) == 1
    assert len(bayerboard.rows("SELECT * FROM submissions_submission WHERE idempotency_key = 'the-same-request'")) == 1
    bayerboard.wait_for(lambda: len(bayerboard.stored_archives() - before) == 1)
    assert answers[0].submission is not None
    ended = bayerboard.wait_for_end(answers[0].submission)
    assert (ended["status"], ended["attempts"]) == ("scored", 1)


def test_fifty_requests_at_once_against_a_quota_of_five_are_five_submissions(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    archive = phases.test.zip(tmp_path / "many.zip", 9)
    path = phases.test.path(CHALLENGE)
    forms = [visitor.fill_in(path, archive, f"quota-race-{number}") for number in range(50)]
    before = bayerboard.stored_archives()
    answers = visitor.send_all(forms)
    accepted = [answer.submission for answer in answers if answer.status == 302]
    refused = [answer for answer in answers if answer.status == 403]
    assert (len(accepted), len(refused)) == (5, 45)
    assert all("quota-day-used" in answer.text for answer in refused)
    assert (
        bayerboard.rows("SELECT COUNT(*) AS n FROM submissions_submission WHERE idempotency_key LIKE 'quota-race-%'")[
            0
        ]["n"]
        == 5
    )
    bayerboard.wait_for(lambda: len(bayerboard.stored_archives() - before) == 5)
    assert [bayerboard.wait_for_end(pk)["status"] for pk in accepted if pk] == ["scored"] * 5


def test_a_rescore_prints_what_changes_and_publishes_it(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    submission = send(visitor, phases.p20, tmp_path)
    before = bayerboard.wait_for_end(submission)
    done = bayerboard.manage("rescore", phases.p20.path(CHALLENGE), "--reason", "to see that it works", "--yes")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"{visitor.name} +1 → 1 .*\+0\.00e\+00", done.stdout), done.stdout
    assert "is published." in done.stdout
    after = bayerboard.evaluation(submission)
    assert after["id"] != before["id"]
    assert after["metrics"] == before["metrics"]
    assert len(standings_of(bayerboard, submission)) == 1


def test_a_baseline_is_run_scored_and_shown_without_a_rank(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    done = bayerboard.manage("run_baseline", "mosaic", phases.development.path(CHALLENGE))
    assert done.returncode == 0, done.stderr
    assert "mosaic on tryout/s7/development: PSNR" in done.stdout
    board = board_of(visitor.get(f"/challenges/{phases.development.path(CHALLENGE)}/"))
    assert [rank for rank, team in board if "baseline" in team] == ["–"]


def test_the_shown_scores_are_those_of_a_second_reading_of_the_formulas(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    submission = send(visitor, phases.development, tmp_path, sigma=6)
    assert bayerboard.wait_for_end(submission)["status"] == "scored"
    page = text_of(visitor.get(f"/submissions/{submission}/"))
    images = score_images(phases.development.references, phases.development.predictions(6))
    for scores in (mean_scores(images), *images.values()):
        assert f"{scores['psnr']:.2f}" in page
        assert f"{scores['ssim']:.4f}" in page


def test_a_phase_that_is_closed_takes_nothing(
    bayerboard: Bayerboard, phases: Phases, visitor: Visitor, tmp_path: Path
) -> None:
    assert "phase-closed" in visitor.get(f"/challenges/{phases.closed.path(CHALLENGE)}/submit/")
    form = visitor.fill_in(phases.development.path(CHALLENGE), phases.closed.zip(tmp_path / "late.zip", 5), "too-late")
    before = bayerboard.stored_archives()
    late = type(form)(f"/challenges/{phases.closed.path(CHALLENGE)}/submit/", form.body, form.content_type)
    answer = visitor.send(late)
    assert answer.status == 403
    assert "phase-closed" in answer.text
    bayerboard.wait_for(lambda: bayerboard.stored_archives() <= before)


ACCOUNT = re.compile(r"^(?:organiser|participant|broken zip) +(\S+) +(\S+) +http://[^/ ]+(/\S+)$", re.MULTILINE)


def test_the_demo_fills_its_boards_stops_and_comes_back(tmp_path: Path) -> None:
    # It brings a Bayerboard of its own. One photo instead of four: a phase has six tiles.
    done = manage(tmp_path / "demo", "demo", "--once", "--photos", "1", "--bind", "127.0.0.1:0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("rank  team") == 4
    assert "Zip Happens on Track 1 · Samsung S7: rejected, as it should be" in done.stdout

    with running(tmp_path / "demo", "demo") as again:  # with what is there
        accounts = again.wait_for(lambda: ACCOUNT.findall(again.output.read_text()))
        assert len(accounts) == 3
        pages = []
        for username, password, path in accounts:
            person = Participant(again.url)
            person.sign_in(username, password)
            pages.append(person.get(path))
        assert all(text in page for text, page in zip(("admin", "scored", "image-missing"), pages, strict=True))
        assert "submits to" not in again.output.read_text(), "what is there already was sent again"
