"""`manage.py rescore`: its words, and real scores by real workers' code."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from bayerboard.challenges.models import ScoringVersion
from bayerboard.evaluations.models import Evaluation, RescoreRun, Status
from bayerboard.lib.storage import object_store
from bayerboard.submissions.models import Submission
from tests import factories
from workers.score import score_next

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


COMMAND = "bayerboard.rescoring.management.commands.rescore"


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the command waits, a worker takes the next evaluation."""
    monkeypatch.setattr(f"{COMMAND}.time.sleep", lambda seconds: score_next())


@pytest.fixture
def sent(cast: Cast, tmp_path: Path) -> dict[str, Submission]:
    """Ours is nearer to the first reference, theirs to the second."""
    truth = factories.reference_images(cast.phase)
    archives = {
        "ours": factories.write_zip(tmp_path / "ours.zip", truth),
        "theirs": factories.write_zip(tmp_path / "theirs.zip", {name: image // 2 for name, image in truth.items()}),
    }
    found = {
        name: factories.make_submission(cast.phase, team, tmp_path, archive=archives[name])
        for name, team in (("ours", cast.team), ("theirs", cast.rivals))
    }
    for _ in found:
        score_next()
    return found


def new_reference(cast: Cast, folder: Path) -> None:
    truth = factories.reference_images(cast.phase)
    factories.publish_reference(cast.phase, {name: image // 2 + 1 for name, image in truth.items()}, folder)


def run(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command("rescore", *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_a_dry_run_only_says_what_it_would_do(cast: Cast, sent: dict[str, Submission], tmp_path: Path) -> None:
    new_reference(cast, tmp_path)

    text = run(cast.challenge.slug, dry_run=True)

    row = next(line for line in text.splitlines() if cast.phase.path in line)
    assert row.split()[1:4] == ["2", "0", "4"]
    assert "the reference set became version 2" in row
    assert text.endswith("Dry run: nothing was changed.\n")
    assert not RescoreRun.objects.exists()
    assert ScoringVersion.objects.count() == 1
    assert Evaluation.objects.count() == 2


def test_scores_publishes_and_shows_before_and_after(cast: Cast, sent: dict[str, Submission], tmp_path: Path) -> None:
    new_reference(cast, tmp_path)

    text = run(cast.phase.path, yes=True, reason="the gain was wrong")

    after = {name: Submission.objects.get(pk=item.pk).evaluation.metrics["psnr"] for name, item in sent.items()}
    theirs, ours = (next(line for line in text.splitlines() if team in line) for team in ("Night", "Bayer"))
    assert "2 → 1" in theirs
    assert f"→ {after['theirs']:.2f}" in theirs
    assert "999.00 →" in ours
    assert "1 → 2" in ours
    assert "2 of 2 rows change." in text
    assert text.endswith("is published.\n")
    version = ScoringVersion.objects.latest("number")
    assert version.reason == "the gain was wrong"


def test_without_yes_it_says_how_to_publish(cast: Cast, sent: dict[str, Submission]) -> None:
    text = run(cast.challenge.slug)

    pk = RescoreRun.objects.get().pk
    assert "No score, no rank changes." in text
    assert f"Not published. To publish: manage.py rescore --publish {pk}" in text
    assert RescoreRun.objects.get().state == RescoreRun.State.OPEN


def test_publishes_a_run_that_was_scored_before(cast: Cast, sent: dict[str, Submission]) -> None:
    run(cast.challenge.slug)

    text = run(publish=RescoreRun.objects.get().pk)

    assert "is published." in text
    assert RescoreRun.objects.get().state == RescoreRun.State.PUBLISHED


def test_a_dry_run_publishes_nothing(cast: Cast, sent: dict[str, Submission]) -> None:
    run(cast.challenge.slug)

    text = run(publish=RescoreRun.objects.get().pk, dry_run=True)

    assert "Dry run: nothing was changed." in text
    assert RescoreRun.objects.get().state == RescoreRun.State.OPEN


@pytest.mark.parametrize(("answer", "state"), [("y", "published"), ("yes", "published"), ("", "open"), ("n", "open")])
def test_asks_at_a_terminal(
    cast: Cast, sent: dict[str, Submission], monkeypatch: pytest.MonkeyPatch, answer: str, state: str
) -> None:
    monkeypatch.setattr(f"{COMMAND}.sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)

    run(cast.challenge.slug)

    assert RescoreRun.objects.get().state == state


def test_some_submissions_only(cast: Cast, sent: dict[str, Submission]) -> None:
    text = run(cast.challenge.slug, submission=[sent["ours"].pk], yes=True)

    row = next(line for line in text.splitlines() if cast.phase.path in line)
    assert row.split()[1:3] == ["1", "1"]
    assert Submission.objects.get(pk=sent["theirs"].pk).evaluation.status == Status.SCORED


def test_a_failed_evaluation_is_told(cast: Cast, sent: dict[str, Submission]) -> None:
    object_store().delete(sent["ours"].archive_key)

    text = run(cast.challenge.slug)

    assert f"submission {sent['ours'].pk} (Bayer Street): scored → failed" in text
    assert "Failed evaluations: 1. Those submissions would have no score." in text


def test_yes_does_not_publish_a_failure(cast: Cast, sent: dict[str, Submission]) -> None:
    object_store().delete(sent["ours"].archive_key)

    with pytest.raises(CommandError, match=r"To publish all the same: manage.py rescore --publish"):
        run(cast.challenge.slug, yes=True)

    assert Submission.objects.get(pk=sent["ours"].pk).evaluation.status == Status.SCORED


def test_says_when_no_worker_seems_to_run(
    cast: Cast, sent: dict[str, Submission], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = iter(range(100))
    monkeypatch.setattr(f"{COMMAND}.SILENCE_S", -1)
    monkeypatch.setattr(f"{COMMAND}.time.sleep", lambda seconds: score_next() if next(looks) else None)

    run(cast.challenge.slug)

    assert "Is a worker running (manage.py up)?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((), {}, r"Say what to rescore: CHALLENGE\[/TRACK\[/PHASE\]\]\."),
        (("nothing",), {}, "There is no challenge 'nothing'. Known: challenge"),
        (("a/b/c/d",), {}, "'a/b/c/d' is not CHALLENGE"),
        (("",), {}, "'' is not CHALLENGE"),
        ((), {"publish": 999}, "There is no rescore run 999."),
    ],
)
def test_mistakes(cast: Cast, arguments: tuple[str, ...], options: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(*arguments, **options)


def test_an_unknown_track_and_phase(cast: Cast) -> None:
    slug, track = cast.challenge.slug, cast.phase.track.slug

    with pytest.raises(CommandError, match=f"There is no track 'x' in {slug}. Known: {track}."):
        run(f"{slug}/x")
    with pytest.raises(CommandError, match=f"There is no phase 'x' in {slug}/{track}. Known: development."):
        run(f"{slug}/{track}/x")


def test_a_submission_of_another_challenge(cast: Cast, sent: dict[str, Submission]) -> None:
    with pytest.raises(CommandError, match=r"Not among the submissions of the target: 999\."):
        run(cast.challenge.slug, submission=[999])


def test_a_run_that_is_published_already(cast: Cast, sent: dict[str, Submission]) -> None:
    run(cast.challenge.slug, yes=True)

    with pytest.raises(CommandError, match="is published already"):
        run(publish=RescoreRun.objects.get().pk)


def test_two_runs_at_once(cast: Cast, sent: dict[str, Submission]) -> None:
    run(cast.challenge.slug)

    with pytest.raises(CommandError, match="is being rescored already; publish that run first"):
        run(cast.challenge.slug)


def test_nothing_to_rescore(cast: Cast) -> None:
    assert run(cast.challenge.slug) == "There is no submission to rescore.\n"
