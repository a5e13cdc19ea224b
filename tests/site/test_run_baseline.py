"""`manage.py run_baseline`."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from bayerboard.runs.models import BASELINE_TASK, BaselineRun, RunStatus
from bayerboard.submissions.models import Submission
from scoring.protocol import load_protocol
from tests import factories
from workers.baseline import run_baseline
from workers.score import score_next

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


COMMAND = "bayerboard.runs.management.commands.run_baseline"


@pytest.fixture
def cast(db: None, tmp_path: Path) -> Cast:
    """Return the baselines serve tiles of the true size alone."""
    return factories.make_cast(tmp_path, protocol=load_protocol("aim22-s7"))


@pytest.fixture
def _workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the command waits, workers do their work."""

    def work(seconds: float) -> None:
        for run in BaselineRun.objects.filter(status=RunStatus.QUEUED):
            run_baseline(run.pk)
        score_next()

    monkeypatch.setattr(f"{COMMAND}.time.sleep", work)


def run(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command("run_baseline", *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.mark.usefixtures("_workers")
def test_shows_the_score(cast: Cast) -> None:
    text = run("mosaic", cast.phase.path)

    submission = Submission.objects.get()
    metrics = submission.evaluation.metrics
    assert text == (
        f"mosaic on {cast.phase.path}: PSNR {metrics['psnr']:.2f} dB, SSIM {metrics['ssim']:.4f} "
        f"(submission {submission.pk})\n"
    )


def test_wakes_a_worker_and_need_not_wait(cast: Cast, published: list[tuple[str, dict[str, Any]]]) -> None:
    text = run("mosaic", cast.phase.path, no_wait=True)

    queued = BaselineRun.objects.get()
    assert text == f"Baseline run {queued.pk} is queued.\n"
    assert published == [(BASELINE_TASK, {"run_id": queued.pk})]


def test_says_when_the_broker_does_not_answer(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr("bayerboard.lib.tasks.app.send_task", refuse)

    assert "The broker does not answer" in run("mosaic", cast.phase.path, no_wait=True)
    assert BaselineRun.objects.get().status == RunStatus.QUEUED


@pytest.mark.usefixtures("_workers")
def test_a_run_that_fails(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*arguments: object, **options: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("workers.baseline.predict", crash)

    with pytest.raises(CommandError, match=r"mosaic failed: Something went wrong on our side \(reference "):
        run("mosaic", cast.phase.path)


@pytest.mark.usefixtures("_workers")
def test_predictions_that_are_rejected(cast: Cast, tmp_path: Path) -> None:
    type(cast.phase).objects.update(published_version=None)
    cast.phase.refresh_from_db()
    # a reference with an image that the inputs lack
    images = {name: factories.make_packed_raw(cast.phase.track.protocol, 0) for name in ("6_0", "6_2", "6_4")}
    factories.publish_reference(cast.phase, images, tmp_path)

    with pytest.raises(CommandError, match="The predictions were rejected: image-missing"):
        run("mosaic", cast.phase.path)


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("nothing", "{path}", "There is no baseline called 'nothing'. Known: mosaic"),
        ("mosaic", "{challenge}", "is not CHALLENGE/TRACK/PHASE"),
        ("mosaic", "{challenge}/x/y", "There is no track 'x'"),
        ("mosaic", "nothing/x/y", "There is no challenge 'nothing'"),
    ],
)
def test_mistakes(cast: Cast, method: str, path: str, words: str) -> None:
    target = path.format(path=cast.phase.path, challenge=cast.challenge.slug)

    with pytest.raises(CommandError, match=words):
        run(method, target)

    assert not BaselineRun.objects.exists()


def test_a_track_that_the_method_does_not_serve(cast: Cast) -> None:
    track = cast.phase.track
    type(track).objects.update(protocol_data={**track.protocol_data, "name": "other"})

    with pytest.raises(CommandError, match=r"mosaic does not serve other, only aim22-s7, aim22-p20\."):
        run("mosaic", cast.phase.path)


@pytest.mark.parametrize("lacking", ["input_set", "published_version"])
def test_a_phase_that_is_not_ready(cast: Cast, lacking: str) -> None:
    type(cast.phase).objects.update(**{lacking: None})

    with pytest.raises(CommandError, match="needs inputs and a reference first"):
        run("mosaic", cast.phase.path)
