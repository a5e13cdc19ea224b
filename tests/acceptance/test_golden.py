"""The organisers' own scores, in full precision, for 20 pairs of packed RAW: the scoring must reproduce them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from scoring.engine import score_archive
from scoring.metrics import fast
from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim
from scoring.protocol import load_protocol
from scoring.reference import Reference
from tests.scoring.archives import write_submission

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
EXPECTED: dict[str, dict[str, Any]] = (
    json.loads((GOLDEN / "expected.json").read_text("utf-8")) if GOLDEN.is_dir() else {}
)
TOLERANCE = 1e-6

pytestmark = pytest.mark.skipif(
    not EXPECTED, reason="the golden pairs are not here: no ../shared/golden beside the project"
)


def pair(name: str) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as arrays:
        return arrays["reference"], arrays["submission"]


def test_all_twenty_pairs_are_here() -> None:
    assert len(EXPECTED) == 20


@pytest.mark.parametrize("name", EXPECTED)
def test_psnr_is_the_organisers(name: str) -> None:
    reference, submission = pair(name)

    expected_db = EXPECTED[name]["psnr_db"]
    assert psnr(reference, submission, data_range=1024) == pytest.approx(expected_db, rel=0, abs=TOLERANCE)


@pytest.mark.parametrize("name", EXPECTED)
def test_ssim_is_the_organisers(name: str) -> None:
    reference, submission = pair(name)

    assert ssim(reference, submission, data_range=1024) == pytest.approx(EXPECTED[name]["ssim"], rel=0, abs=TOLERANCE)


@pytest.mark.parametrize("max_error", [fast.MAX_ERROR, 1.0], ids=["float32 where proven", "float32 throughout"])
@pytest.mark.parametrize("name", EXPECTED)
def test_float32_is_within_the_bound_that_it_proves(
    name: str, max_error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "MAX_ERROR", max_error)

    measured = fast.measure("ssim", *pair(name), data_range=1024)

    assert measured is not None
    assert measured.bound <= max_error
    assert abs(measured.value - EXPECTED[name]["ssim"]) <= measured.bound + 1e-12
    assert measured.float32_tiles == measured.tiles or max_error < 1


@pytest.mark.parametrize("track", ["s7", "p20"])
def test_a_zip_of_them_scores_as_they_do(track: str, tmp_path: Path) -> None:
    protocol = load_protocol(f"aim22-{track}")
    names = [name for name in EXPECTED if name.startswith(track)]
    (tmp_path / "reference").mkdir()
    submissions = {}
    for name in names:
        truth, submissions[name] = pair(name)
        np.save(tmp_path / "reference" / f"{name}.npy", truth)
    archive = write_submission(tmp_path / "submission.zip", submissions)

    with Reference.open(tmp_path / "reference", protocol) as reference:
        report = score_archive(archive, reference, protocol)

    scored = {image.name: image.values for image in report.images}
    assert scored.keys() == set(names)
    for name in names:
        assert scored[name]["psnr"] == pytest.approx(EXPECTED[name]["psnr_db"], rel=0, abs=TOLERANCE)
        assert scored[name]["ssim"] == pytest.approx(EXPECTED[name]["ssim"], rel=0, abs=TOLERANCE)
    mean_db = sum(EXPECTED[name]["psnr_db"] for name in names) / len(names)
    assert report.metrics["psnr"] == pytest.approx(mean_db, rel=0, abs=TOLERANCE)
