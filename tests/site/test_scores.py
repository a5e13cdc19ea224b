"""The scores as rows: written with a result, carried over, filled for a site that has results, found by an index."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bayerboard.evaluations.models import Evaluation, ImageScores, Score, Status
from bayerboard.leaderboards.models import Standing
from bayerboard.rescoring import planning, publication
from bayerboard.results.recording import record_score
from bayerboard.submissions.models import Submission
from scoring.protocol import load_protocol
from scoring.report import ImageScore, ScoreReport
from tests import factories
from tests.site.test_fairness import fill

if TYPE_CHECKING:
    from pathlib import Path

    from bayerboard.challenges.models import ScoringVersion
    from bayerboard.submissions.models import SubmissionQuerySet
    from tests.factories import Cast

pytestmark = pytest.mark.database

# Its last column is the power of a score, divided by the runtime that the fact sheet declares.
FORMULA = "mai22-learned-isp"
REPORT = ScoreReport(
    protocol="aim22-s7",
    metrics={"psnr": 30.5, "ssim": 0.5, "psnr_noise": 28.25},
    images=(ImageScore("6_0", {"psnr": 30.5, "ssim": 0.5}),),
    factsheet=None,
    warnings=(),
)


def rows(evaluation: Evaluation) -> dict[str, tuple[float | None, str]]:
    """Return value and text of each key, all under the evaluation's own version."""
    found = Score.objects.filter(evaluation=evaluation, scoring_version=evaluation.scoring_version_id)
    return {score.key: (score.value, score.text) for score in found}


def version_of(cast: Cast) -> ScoringVersion:
    version = cast.phase.published_version
    assert version is not None
    return version


def claimed(cast: Cast, folder: Path) -> Evaluation:
    factories.make_submission(cast.phase, cast.team, folder)
    evaluation = Evaluation.objects.claim_next("tester/1")
    assert evaluation is not None
    return evaluation


# --- Written with a result ------------------------------------------------------------------------------------------


def test_each_key_of_a_result_is_a_row(cast: Cast, tmp_path: Path) -> None:
    evaluation = claimed(cast, tmp_path)

    record_score(evaluation, REPORT, "b" * 64, {})

    assert rows(evaluation) == {"psnr": (30.5, ""), "ssim": (0.5, ""), "psnr_noise": (28.25, "")}


@pytest.mark.parametrize(("value", "text"), [(math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan")])
def test_what_is_not_finite_is_null_with_its_text_and_never_ranked(
    cast: Cast, tmp_path: Path, value: float, text: str
) -> None:
    evaluation = claimed(cast, tmp_path)
    images = (ImageScore("6_0", {"psnr": value, "ssim": 0.5}),)

    record_score(evaluation, replace(REPORT, metrics={"psnr": value, "ssim": 0.5}, images=images), "b" * 64, {})

    assert rows(evaluation) == {"psnr": (None, text), "ssim": (0.5, "")}
    assert Evaluation.objects.get().metrics == {"psnr": None, "ssim": 0.5}
    assert ImageScores.objects.get().values == {"psnr": [None], "ssim": [0.5]}
    assert not Standing.objects.exists()
    assert not Submission.objects.sorted_by_score(version_of(cast), "psnr", descending=True).exists()


def test_a_result_that_is_not_stored_leaves_no_row(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*arguments: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("bayerboard.results.recording.Standing.objects.refresh", crash)
    evaluation = claimed(cast, tmp_path)

    with pytest.raises(RuntimeError, match="disk"):
        record_score(evaluation, REPORT, "b" * 64, {})

    assert not Score.objects.exists()


def test_what_is_carried_over_keeps_its_scores(cast: Cast, tmp_path: Path) -> None:
    chosen, kept = (factories.make_scored(cast.phase, cast.team, tmp_path, psnr=psnr) for psnr in (30, 31))
    run = planning.start(cast.phase.path, planning.plan([cast.phase], [chosen.pk]), "")
    factories.record(Evaluation.objects.get(submission=chosen, is_staged=True), psnr=33)
    before = kept.evaluation

    publication.publish(run)

    cast.phase.refresh_from_db()
    after = Submission.objects.get(pk=kept.pk).evaluation
    assert after.pk != before.pk
    assert rows(after) == rows(before) == {"psnr": (31, ""), "ssim": (0.5, "")}


def test_an_evaluation_that_goes_takes_its_scores_along(cast: Cast, tmp_path: Path) -> None:
    submission = factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)
    Standing.objects.all().delete()

    submission.evaluation.delete()

    assert not Score.objects.exists()


# --- Of a site that has results -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_site_that_has_results_gets_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayerboard.evaluations.migrations.0003_scores.AT_ONCE", 2)
    phase = factories.make_phase(tmp_path)
    team = factories.make_team(phase.track.challenge)
    scored = [factories.make_scored(phase, team, tmp_path, psnr=psnr).evaluation for psnr in (30, 31, 32)]
    waiting = factories.make_submission(phase, team, tmp_path).evaluation
    before = [rows(evaluation) for evaluation in scored]

    call_command("migrate", "evaluations", "0002", verbosity=0)
    call_command("migrate", "evaluations", verbosity=0)

    assert [rows(evaluation) for evaluation in scored] == before
    assert before[1] == {"psnr": (31, ""), "ssim": (0.5, "")}
    assert rows(waiting) == {}


@pytest.mark.django_db(transaction=True)
def test_a_site_that_has_formulas_keeps_the_operands_that_the_archive_declared(tmp_path: Path) -> None:
    phase = factories.make_phase(tmp_path, protocol=replace(factories.SMALL_S7, columns=load_protocol(FORMULA).columns))
    submission = factories.make_scored(phase, factories.make_team(phase.track.challenge), tmp_path, psnr=30)
    undefined = factories.make_scored(phase, factories.make_team(phase.track.challenge), tmp_path, psnr=31)
    Evaluation.objects.filter(submission=submission).update(metrics={"psnr": 30, "ssim": 0.5, "score": 12.5})
    # Revised later: no score rests on it.
    submission.fact_sheets.create(runtime_s=0.001)

    call_command("migrate", "evaluations", "0002", verbosity=0)
    call_command("migrate", "evaluations", verbosity=0)

    assert Evaluation.objects.get(submission=submission).operands == {"runtime_ms": 500}
    assert Evaluation.objects.get(submission=undefined).operands == {}


# --- In order -------------------------------------------------------------------------------------------------------


@pytest.fixture
def scored(cast: Cast, tmp_path: Path) -> dict[float, Submission]:
    """Score four submissions, one of them with the same value as another."""
    return {psnr: factories.make_scored(cast.phase, cast.team, tmp_path, psnr=psnr) for psnr in (31, 29, 32, 30)}


def values(submissions: SubmissionQuerySet, version: ScoringVersion) -> list[float]:
    return [vars(submission)["score_value"] for submission in submissions.with_score(version, "psnr")]


def test_submissions_are_sorted_by_a_score(cast: Cast, scored: dict[float, Submission]) -> None:
    version = version_of(cast)

    ascending = Submission.objects.sorted_by_score(version, "psnr", descending=False)
    descending = Submission.objects.sorted_by_score(version, "psnr", descending=True)

    assert values(ascending, version) == [29, 30, 31, 32]
    assert values(descending, version) == [32, 31, 30, 29]


def test_submissions_are_chosen_by_a_score_both_ends_included(cast: Cast, scored: dict[float, Submission]) -> None:
    version = version_of(cast)
    between = Submission.objects.with_score_between

    assert set(between(version, "psnr", 30, 31)) == {scored[30], scored[31]}
    assert set(between(version, "psnr", None, 29)) == {scored[29]}
    assert set(between(version, "psnr", 31.5, None)) == {scored[32]}
    assert set(between(version, "ssim", 30, None)) == set()


def test_choosing_and_sorting_go_together(cast: Cast, scored: dict[float, Submission]) -> None:
    version = version_of(cast)

    found = Submission.objects.with_score_between(version, "psnr", 30, None).sorted_by_score(
        version, "psnr", descending=True
    )

    assert values(found, version) == [32, 31, 30]
    assert str(found.query).count('JOIN "evaluations_score"') == 1


def test_scores_of_another_version_are_left_out(cast: Cast, scored: dict[float, Submission]) -> None:
    run = planning.start(cast.phase.path, planning.plan([cast.phase], None), "")
    version = run.versions.get()
    factories.record(Evaluation.objects.get(submission=scored[29], is_staged=True), psnr=40)

    assert values(Submission.objects.sorted_by_score(version, "psnr", descending=True), version) == [40]
    assert values(Submission.objects.sorted_by_score(version_of(cast), "psnr", descending=True), version_of(cast)) == [
        32, 31, 30, 29
    ]  # fmt: skip


def test_what_was_cancelled_after_its_twin_was_scored_is_left_out(cast: Cast, scored: dict[float, Submission]) -> None:
    Evaluation.objects.filter(submission=scored[32]).update(status=Status.CANCELLED)
    version = version_of(cast)

    assert values(Submission.objects.sorted_by_score(version, "psnr", descending=True), version) == [31, 30, 29]


# --- By the index ---------------------------------------------------------------------------------------------------


@pytest.fixture
def many(cast: Cast) -> ScoringVersion:
    """Store so many scores that a database with figures of its tables finds the index worth its while."""
    version = version_of(cast)
    fill(cast.phase, cast.team, version, 2000, status=Status.SCORED, finished_at=timezone.now())
    Score.objects.bulk_create(
        Score(evaluation=evaluation, scoring_version=version, key=key, value=number)
        for number, evaluation in enumerate(Evaluation.objects.all())
        for key in ("psnr", "ssim")
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return version


def assert_index_alone(found: SubmissionQuerySet) -> None:
    """Hold that a page of the list is read in the order of the index, with nothing sorted and nothing read whole."""
    plan = found[:20].explain()
    assert "score_in_order" in plan
    assert not any(word in plan for word in ("Sort", "TEMP B-TREE", "SCAN", "Seq Scan", "Hash")), plan


@pytest.mark.parametrize("descending", [True, False])
def test_a_page_in_order_is_read_from_the_index(many: ScoringVersion, descending: bool) -> None:
    assert_index_alone(Submission.objects.sorted_by_score(many, "psnr", descending=descending))


def test_a_page_of_a_range_in_order_is_read_from_the_index(many: ScoringVersion) -> None:
    chosen = Submission.objects.with_score_between(many, "psnr", 500, 1500)
    assert_index_alone(chosen.sorted_by_score(many, "psnr", descending=True))


def test_a_range_is_found_by_the_index(many: ScoringVersion) -> None:
    plan = Submission.objects.with_score_between(many, "psnr", 500, 510).order_by().explain()
    assert "score_in_order" in plan, plan


def test_the_index_serves_without_figures_of_the_tables(cast: Cast, tmp_path: Path) -> None:
    """SQLite has none on a site, since nobody runs ANALYZE there."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL collects its figures by itself")
    assert_index_alone(Submission.objects.sorted_by_score(version_of(cast), "psnr", descending=True))
