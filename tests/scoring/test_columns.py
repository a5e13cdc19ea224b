"""Columns: means, subsets, formulas and limits."""

from __future__ import annotations

from typing import Any

import pytest

from scoring.columns import aggregate, summarise
from scoring.factsheet import FactSheet
from scoring.problems import SCORE_DERIVED, ReferenceInvalid
from scoring.protocol import Protocol, load_protocol
from scoring.report import ImageScore

IMAGES = [
    ImageScore("1_noise", {"psnr": 30.0, "ssim": 0.9}),
    ImageScore("2_blur", {"psnr": 20.0, "ssim": 0.8}),
    ImageScore("3_noise", {"psnr": 40.0, "ssim": 1.0}),
]
PSNR = {"key": "psnr", "label": "PSNR", "direction": "desc", "precision": 2, "unit": "dB"}


def protocol(**changes: Any) -> Protocol:
    return Protocol.from_json({**load_protocol("aim22-s7").to_json(), **changes})


def with_formula(text: str) -> Protocol:
    return protocol(columns=[PSNR, {**PSNR, "key": "score", "label": "Score", "formula": text}])


WITH_SUBSETS = protocol(
    subsets=["noise", "blur"],
    subset_pattern="_(?P<subset>[a-z]+)$",
    columns=[PSNR, {**PSNR, "key": "psnr_noise", "metric": "psnr", "subset": "noise"}],
)


def test_a_metric_is_the_mean_over_all_images() -> None:
    assert aggregate(protocol(), IMAGES) == {"psnr": 30.0, "ssim": pytest.approx(0.9)}


def test_a_mean_does_not_depend_on_the_order_of_the_images() -> None:
    images = [ImageScore(f"{n}", {"psnr": 0.1 * n, "ssim": 1e16 if n == 3 else 1.0}) for n in range(10)]

    assert aggregate(protocol(), images) == aggregate(protocol(), images[::-1])


def test_a_subset_has_a_mean_of_its_own() -> None:
    assert aggregate(WITH_SUBSETS, IMAGES)["psnr_noise"] == 35.0


def test_the_private_manifest_decides_before_the_name() -> None:
    private = {"1_noise": {"subset": "blur"}, "2_blur": {"group": "2"}}

    assert aggregate(WITH_SUBSETS, IMAGES, None, private)["psnr_noise"] == 40.0


def test_a_subset_without_images_is_the_organisers_fault() -> None:
    with pytest.raises(ReferenceInvalid, match="no image is of the subset noise"):
        aggregate(WITH_SUBSETS, IMAGES[1:2])


def test_a_formula_sees_metrics_subsets_and_the_fact_sheet() -> None:
    columns = [
        PSNR,
        {**PSNR, "key": "psnr_noise", "metric": "psnr", "subset": "noise"},
        {**PSNR, "key": "score", "formula": "psnr_noise - psnr + runtime_s + 1000 * runtime_ms + parameters * macs"},
    ]
    mixed = protocol(columns=columns, subsets=["noise"], subset_pattern="_(?P<subset>noise)$")
    sheet = FactSheet(runtime_s=2.0, parameters=3.0, macs=5.0)

    assert aggregate(mixed, IMAGES, sheet)["score"] == pytest.approx(35 - 30 + 2 + 2e6 + 15)


@pytest.mark.parametrize("sheet", [None, FactSheet()])
def test_what_the_readme_does_not_declare_leaves_the_column_empty(sheet: FactSheet | None) -> None:
    summary = summarise(with_formula("psnr / runtime_ms"), IMAGES, sheet, archive="a.zip")

    assert "score" not in summary.metrics
    assert [warning.message for warning in summary.warnings] == [
        "a.zip has no value for the column Score: the readme does not declare the runtime per image."
    ]


def test_a_power_that_is_too_large_leaves_the_column_empty() -> None:
    perfect = [ImageScore("1", {"psnr": 999.0, "ssim": 1.0})]

    summary = summarise(with_formula("2^(2·psnr)"), perfect)

    assert "score" not in summary.metrics
    assert [warning.code for warning in summary.warnings] == ["column-undefined"]
    assert "too large" in summary.warnings[0].message


@pytest.mark.parametrize("psnr", [30.0, 999.0])
def test_that_an_operand_is_undeclared_is_told_whatever_the_score(psnr: float) -> None:
    summary = summarise(with_formula("2^(2·psnr) / runtime_ms"), [ImageScore("1", {"psnr": psnr, "ssim": 1.0})])

    assert [warning.code for warning in summary.warnings] == ["operand-undeclared"]
    assert "operand-undeclared" not in SCORE_DERIVED


def test_its_logarithm_is_not_too_large() -> None:
    perfect = [ImageScore("1", {"psnr": 999.0, "ssim": 1.0})]

    assert aggregate(with_formula("2·psnr"), perfect)["score"] == 1998.0


def test_without_limits_nobody_asks_for_eligibility() -> None:
    summary = summarise(protocol(), IMAGES)

    assert (summary.eligible, summary.warnings) == (None, ())


@pytest.mark.parametrize(
    ("parameters", "macs", "eligible", "codes"),
    [
        (2e5, 1e9, True, []),
        (2e5 + 1, 1e9, False, ["limit-exceeded"]),
        (2e6, 1e12, False, ["limit-exceeded", "limit-exceeded"]),
        (None, 1e9, False, ["limit-undeclared"]),
        (None, None, False, ["limit-undeclared", "limit-undeclared"]),
    ],
)
def test_limits_mark_and_do_not_reject(
    parameters: float | None, macs: float | None, eligible: bool, codes: list[str]
) -> None:
    limited = protocol(max_parameters=200_000, max_macs=2e11)

    summary = summarise(limited, IMAGES, FactSheet(parameters=parameters, macs=macs))

    assert (summary.eligible, [warning.code for warning in summary.warnings]) == (eligible, codes)
    assert summary.metrics["psnr"] == 30.0
