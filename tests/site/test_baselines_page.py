"""A track's page of baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baselines.catalogue import get_method
from bayerboard.challenges.models import Board
from bayerboard.pages.baseline_scores import expected_values
from bayerboard.runs.models import BaselineRun, Measured
from scoring.protocol import load_protocol
from tests import factories
from tests.factories import SMALL_S7
from tests.site.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.factories import Cast


MEASURED = Measured(runtime_s=0.0042, device="gpu", device_name="Test GPU", parameters=1_861_764, macs=6_200_000_000)


def url_of(cast: Cast) -> str:
    return f"{cast.phase.track.get_absolute_url()}baselines/"


def test_what_a_method_is_expected_to_score_is_said_to_be_of_synthetic_data(cast: Cast) -> None:
    (psnr, ssim) = (value for _, value in expected_values(get_method("mosaic"), SMALL_S7))

    text = Page(cast.client("stranger").get(url_of(cast))).text

    assert f"own synthetic test set: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}." in text


def test_of_another_protocol_nothing_is_expected() -> None:
    assert expected_values(get_method("mosaic"), load_protocol("mai22-learned-isp")) == []


@pytest.fixture
def scored(cast: Cast, tmp_path: Path) -> BaselineRun:
    """Run a baseline that scored 12.34 dB."""
    run = BaselineRun.objects.create(method="mosaic", phase=cast.phase)
    assert BaselineRun.objects.claim(run.pk, "worker/1")
    run.refresh_from_db()
    factories.record(
        run.submit(factories.write_predictions(cast.phase, tmp_path / "run.zip"), MEASURED).evaluation, 12.34
    )
    return run


@pytest.mark.parametrize("role", factories.ROLES)
def test_everybody_may_read_what_a_baseline_is(cast: Cast, role: str) -> None:
    page = Page(cast.client(role).get(url_of(cast)))

    method = get_method("mosaic")
    assert method.title in page.text
    assert method.summary in page.text
    assert "It has not run on this track yet." in page.text
    assert f"{url_of(cast)}mosaic.zip" in page.links
    assert not page.violations


def test_the_card_has_its_headings(cast: Cast) -> None:
    assert "What it does not do" in Page(cast.client("stranger").get(url_of(cast))).text


@pytest.mark.usefixtures("scored")
def test_its_score_and_what_was_measured_are_shown(cast: Cast) -> None:
    text = Page(cast.client("stranger").get(url_of(cast))).text

    for shown in ("12.34", "4.2 ms", "Test GPU", "1.862 M", "6.2 G", "measured"):
        assert shown in text


def test_a_board_without_baselines_has_no_column_for_what_is_measured(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    assert "measured" not in Page(cast.client("stranger").get(cast.phase.get_absolute_url())).text


@pytest.mark.usefixtures("scored")
def test_the_board_shows_what_was_measured_beside_what_is_declared(cast: Cast, tmp_path: Path) -> None:
    factories.make_scored(cast.phase, cast.team, tmp_path, psnr=30)

    text = Page(cast.client("stranger").get(cast.phase.get_absolute_url())).text

    for shown in ("Runtime declared", "Runtime measured", "500 ms", "4.2 ms", "Test GPU", "1.862 M", "6.2 G"):
        assert shown in text


@pytest.mark.usefixtures("scored")
def test_a_hidden_board_hides_a_baselines_score_too(cast: Cast) -> None:
    type(cast.phase).objects.update(board=Board.HIDDEN)

    assert "12.34" not in Page(cast.client("participant").get(url_of(cast))).text
    assert "12.34" in Page(cast.client("organiser").get(url_of(cast))).text


def test_a_track_without_baselines_says_so(cast: Cast) -> None:
    type(cast.phase.track).objects.update(baselines=[])

    assert "No baselines" in Page(cast.client("stranger").get(url_of(cast))).text


def test_the_track_leads_to_it(cast: Cast) -> None:
    assert url_of(cast) in Page(cast.client("stranger").get(cast.phase.track.get_absolute_url())).links


def test_a_track_that_is_not_there(cast: Cast) -> None:
    assert cast.client("stranger").get(url_of(cast).replace(cast.phase.track.slug, "nothing")).status_code == 404


def test_takes_no_post(cast: Cast) -> None:
    assert cast.client("stranger").post(url_of(cast)).status_code == 405
