"""Scores as pages show them."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scoring.protocol import Protocol, load_protocol
from scoring.shown import shown_text, shown_values

MAI22 = load_protocol("mai22-learned-isp")
finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (31.864219876543, 2, "31.86"),
        (0.91236, 4, "0.9124"),
        (0.0, 2, "0.00"),
        (-0.0, 2, "0.00"),
        (-0.001, 2, "0.00"),
        (-1.5, 2, "-1.50"),
        (12345.678, 2, "12345.7"),
        (1234567.891, 2, "1234570"),
        (99999.96, 2, "100000"),
        (999999.7, 0, "1000000"),
        (1e15, 2, "1.00000e+15"),
        (1.234567e200, 2, "1.23457e+200"),
        (-1.234567e200, 2, "-1.23457e+200"),
        (1e-200, 4, "0.0000"),
        (float("nan"), 2, "–"),
        (float("inf"), 2, "–"),
        (None, 2, "–"),
    ],
)
def test_a_score_has_the_protocols_decimals_and_at_most_six_digits(
    value: float | None, precision: int, text: str
) -> None:
    assert shown_text(value, precision) == text


@given(value=finite, precision=st.integers(0, 10))
@example(value=99999.95, precision=2)
@example(value=9.999999e14, precision=0)
def test_the_text_of_a_text_is_the_same_text(value: float, precision: int) -> None:
    text = shown_text(value, precision)

    assert shown_text(float(text), precision) == text
    mantissa = text.lstrip("-").partition("e")[0].replace(".", "").strip("0")
    assert len(mantissa) <= 6
    assert not re.fullmatch(r"-0*\.?0*", text)


@given(value=finite, precision=st.integers(0, 6))
def test_the_text_is_near_the_value(value: float, precision: int) -> None:
    error = abs(float(shown_text(value, precision)) - value)
    assert error <= max(0.5001 * 10**-precision, abs(value) * 1e-5)


@given(
    text=st.decimals(0, 99, places=2),
    hidden=st.floats(-0.0049, 0.0049),
    runtime_s=st.floats(1e-6, 1e5),
)
def test_a_formulas_value_tells_no_digit_that_is_not_shown(text: object, hidden: float, runtime_s: float) -> None:
    """For any declared runtime: the formula reads the shown text of the score."""
    shown = float(str(text))
    operands = {"runtime_ms": runtime_s * 1000}

    exact = shown_values(MAI22, {"psnr": shown, "ssim": 0.5}, operands)
    perturbed = shown_values(MAI22, {"psnr": shown + hidden, "ssim": 0.5}, operands)

    if shown_text(shown + hidden, 2) == shown_text(shown, 2):
        assert perturbed == exact


def test_a_formula_is_computed_from_the_shown_operands() -> None:
    values = shown_values(MAI22, {"psnr": 31.8642198, "ssim": 0.5}, {"runtime_ms": 12.3456789})

    expected = 2 ** (2 * 31.86) / (1.10e12 * 12.3457)
    assert values == {"psnr": 31.86, "ssim": 0.5, "score": float(shown_text(expected, 2))}


def test_a_formula_without_its_operand_has_no_value() -> None:
    assert shown_values(MAI22, {"psnr": 31.8, "ssim": 0.5}) == {"psnr": 31.8, "ssim": 0.5}


def test_a_formula_without_a_finite_value_has_none() -> None:
    assert "score" not in shown_values(MAI22, {"psnr": 999.0, "ssim": 1.0}, {"runtime_ms": 1.0})


def test_values_that_are_not_finite_and_metrics_without_a_column_are_left_out() -> None:
    one = replace(load_protocol("aim22-s7"), columns=load_protocol("aim22-s7").columns[:1])

    assert shown_values(one, {"psnr": math.inf, "ssim": 0.5}) == {}


def test_a_metric_that_no_column_shows_is_rounded_in_a_formula() -> None:
    data = load_protocol("aim22-s7").to_json()
    by_formula = {**data["columns"][0], "key": "half", "formula": "ssim / 2", "precision": 6}
    protocol = Protocol.from_json({**data, "columns": [data["columns"][0], by_formula]})

    assert shown_values(protocol, {"psnr": 30.0, "ssim": 0.123456789}) == {"psnr": 30.0, "half": 0.061728}
