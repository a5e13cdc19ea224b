"""Two reports side by side."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scoring.compare import Comparison, compare_reports
from scoring.protocol import Protocol, load_protocol
from scoring.report import ImageScore, ScoreReport
from scoring.statistics import PairedDifference, TooFewUnits, holm, paired_difference

PHOTOS, TILES = 10, 4


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("aim22-s7")


def report(gain: float = 0.0, *, photos: int = PHOTOS, noise: float = 0.0, ssim_gain: float = 0.0) -> ScoreReport:
    """Return photos of different difficulty, the same ones for all; ``gain`` in dB on each, give or take some noise."""
    base, own = np.random.default_rng(1), np.random.default_rng(2)
    images = []
    for photo in range(photos):
        level, extra = 30 + base.normal(0, 3), gain + own.normal(0, noise)
        for tile in range(TILES):
            psnr = level + base.normal(0, 1) + extra
            images.append(ImageScore(f"{photo}_{tile}", {"psnr": psnr, "ssim": 0.8 + photo / 100 + ssim_gain}))
    metrics = {key: float(np.mean([image.values[key] for image in images])) for key in ("psnr", "ssim")}
    return ScoreReport("aim22-s7", metrics, tuple(images), None, ())


def verdicts(comparison: Comparison) -> list[str]:
    return [column.verdict for column in comparison.columns]


def test_a_gain_on_every_photo_is_real(protocol: Protocol) -> None:
    comparison = compare_reports(report(0.5, noise=0.1), report(), protocol)

    psnr, ssim = comparison.columns
    assert (psnr.verdict, ssim.verdict) == ("first", "equal")
    assert psnr.difference == pytest.approx(0.5, abs=0.1)
    assert isinstance(psnr.result, PairedDifference)
    assert psnr.result.low < psnr.difference < psnr.result.high
    assert (comparison.units, comparison.unit_kind) == (PHOTOS, "photo")


def test_the_second_may_be_better(protocol: Protocol) -> None:
    assert verdicts(compare_reports(report(), report(0.5), protocol)) == ["second", "equal"]


def test_where_small_is_better_the_smaller_wins(protocol: Protocol) -> None:
    psnr, ssim = protocol.columns
    error = replace(protocol, columns=(replace(psnr, direction="asc"), ssim))

    assert verdicts(compare_reports(report(), report(0.5), error)) == ["first", "equal"]


def test_tiles_do_not_make_chance_real(protocol: Protocol) -> None:
    """Four tiles with the same gain are one photo's word, not four."""
    comparison = compare_reports(report(0.2, noise=1.0), report(), protocol)

    assert verdicts(comparison)[0] == "undecided"


def test_p_values_pay_for_the_number_of_columns(protocol: Protocol) -> None:
    comparison = compare_reports(report(0.5, noise=0.6, ssim_gain=0.1), report(), protocol)

    results = [column.result for column in comparison.columns]
    p_values = [result.p for result in results if isinstance(result, PairedDifference)]
    assert [column.p_adjusted for column in comparison.columns] == list(holm(p_values))
    assert comparison.columns[0].p_adjusted != p_values[0] or comparison.columns[1].p_adjusted != p_values[1]


def test_the_test_is_of_photo_means(protocol: Protocol) -> None:
    first, second = report(0.5, noise=0.6), report()
    result = compare_reports(first, second, protocol).columns[0].result

    means = [
        np.array([image.values["psnr"] for image in one.images]).reshape(PHOTOS, TILES).mean(axis=1)
        for one in (first, second)
    ]
    expected = paired_difference(*means)
    assert isinstance(result, PairedDifference)
    assert isinstance(expected, PairedDifference)
    assert result.p == expected.p
    assert result.low == pytest.approx(expected.low)


def test_the_same_submission_twice_is_equal(protocol: Protocol) -> None:
    assert verdicts(compare_reports(report(), report(), protocol)) == ["equal", "equal"]


def test_too_few_photos_are_said_to_be(protocol: Protocol) -> None:
    comparison = compare_reports(report(0.5, photos=5), report(photos=5), protocol)

    psnr = comparison.columns[0]
    assert (psnr.verdict, psnr.result, psnr.p_adjusted) == ("too-few", TooFewUnits(5, 6), None)
    data = psnr.to_json()
    assert (data["interval"], data["p"]) == (None, None)
    assert data["reason"] == "5 are too few for a statement; at least 6 are needed."


def test_the_images_that_differ_most_come_first(protocol: Protocol) -> None:
    first, second = report(), report()
    odd = replace(first.images[7], values={"psnr": 99.0, "ssim": 0.5})
    first = replace(first, images=(*first.images[:7], odd, *first.images[8:]))

    worst = compare_reports(first, second, protocol).images[0]

    assert worst.name == "1_3"
    assert worst.of("psnr") == 99.0 - second.images[7].values["psnr"]


def test_the_result_is_plain_data(protocol: Protocol) -> None:
    data = compare_reports(report(0.5), report(), protocol).to_json()

    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert list(data) == ["units", "unit", "columns", "images"]
    assert list(data["images"][0]) == ["name", "first", "second", "difference"]


def test_a_column_without_values_for_images_is_left_out(protocol: Protocol) -> None:
    psnr, ssim = protocol.columns
    composite = replace(protocol, columns=(replace(psnr, key="overall", label="Overall"), ssim))

    comparison = compare_reports(report(), report(), composite)

    assert [column.column.key for column in comparison.columns] == ["ssim"]
    assert comparison.left_out == ("Overall",)


def test_without_such_a_column_there_is_nothing_to_compare(protocol: Protocol) -> None:
    composite = replace(protocol, columns=(replace(protocol.columns[0], key="overall"),))

    with pytest.raises(ValueError, match="nothing to compare"):
        compare_reports(report(), report(), composite)


def test_both_must_have_been_scored_on_the_same_images(protocol: Protocol) -> None:
    with pytest.raises(ValueError, match="same images"):
        compare_reports(report(), report(photos=9), protocol)
