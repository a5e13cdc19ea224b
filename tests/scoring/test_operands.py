"""Operands that a fact sheet declares: ranges, warnings, and columns that rest on them."""

from __future__ import annotations

from typing import Any

import pytest

from scoring.columns import summarise
from scoring.factsheet import FactSheet
from scoring.operands import PLAUSIBLE, declared_operands
from scoring.protocol import Protocol, ProtocolError, load_protocol, parse_protocol
from scoring.protocol_text import explain
from scoring.report import ImageScore

MAI22 = load_protocol("mai22-learned-isp")
IMAGES = [ImageScore("1", {"psnr": 20.0, "ssim": 0.5})]
FILE = """\
name = "mine"
title = "Mine"
dtype = "uint16"
shape = [16, 16, 4]
level_scale = 1024.0
max_value = 1024
white_level = 1023
metrics = ["psnr"]
tolerance = 1e-6

[[columns]]
key = "psnr"
label = "PSNR"
direction = "desc"
precision = 2
unit = "dB"

[[columns]]
key = "score"
label = "Score"
direction = "desc"
precision = 2
unit = ""
formula = "psnr / runtime_ms"
declared_operands = true
"""


def with_range(name: str, bounds: Any) -> Protocol:
    return Protocol.from_json({**MAI22.to_json(), "plausible": {name: bounds}}, source="mine.toml")


def fault(text: str) -> str:
    with pytest.raises(ProtocolError) as error:
        parse_protocol(text, source="mine.toml")
    return str(error.value)


# --- Ranges ---


@pytest.mark.parametrize("name", PLAUSIBLE)
def test_a_value_counts_within_its_range_and_not_beyond(name: str) -> None:
    least, most = PLAUSIBLE[name]
    values = [least / 1.01, least, most, most * 1.01]

    found = [name in declared_operands(FactSheet.from_json({**FactSheet().to_json(), name: value})) for value in values]

    assert found == [False, True, True, False]


def test_milliseconds_follow_from_seconds() -> None:
    assert declared_operands(FactSheet(runtime_s=0.5)) == {"runtime_s": 0.5, "runtime_ms": 500.0}


@pytest.mark.parametrize("runtime_s", [1e-200, 0.0, 1e6])
def test_an_implausible_runtime_is_told_and_counts_as_undeclared(runtime_s: float) -> None:
    summary = summarise(MAI22, IMAGES, FactSheet(runtime_s=runtime_s), archive="a.zip")

    assert [warning.code for warning in summary.warnings] == ["operand-implausible", "operand-undeclared"]
    assert "between 1e-06 and 100000: it counts as not declared" in summary.warnings[0].message
    assert summary.operands == {}
    assert list(summary.metrics) == ["psnr", "ssim"]


def test_without_a_formula_nobody_judges_a_runtime() -> None:
    assert summarise(load_protocol("aim22-s7"), IMAGES, FactSheet(runtime_s=1e-200)).warnings == ()


def test_a_report_has_the_operands_that_its_formulas_used() -> None:
    sheet = FactSheet(runtime_s=0.5, parameters=1e6)

    assert summarise(MAI22, IMAGES, sheet).operands == {"runtime_ms": 500.0}


def test_a_protocol_may_narrow_a_range() -> None:
    narrow = with_range("runtime_s", [0.001, 10])

    assert summarise(narrow, IMAGES, FactSheet(runtime_s=0.001)).operands == {"runtime_ms": 1.0}
    assert summarise(narrow, IMAGES, FactSheet(runtime_s=10.5)).operands == {}
    assert Protocol.from_json(narrow.to_json()) == narrow


@pytest.mark.parametrize(
    ("name", "bounds", "reason"),
    [
        ("runtime_ms", [1, 2], "runtime_ms: is not a known key (known: macs, parameters, runtime_s)"),
        ("runtime_s", [1], "runtime_s: must be the least and the largest value, not [1]"),
        ("runtime_s", [True, 2], "runtime_s: must be the least and the largest value, not [True, 2]"),
        ("runtime_s", [2, 1], "runtime_s: must be two rising values between 1e-06 and 100000, not [2, 1]"),
        ("runtime_s", [1e-7, 1], "runtime_s: must be two rising values between"),
        ("runtime_s", [1, 1e6], "runtime_s: must be two rising values between"),
        ("runtime_s", [1, float("nan")], "runtime_s: must be two rising values between"),
        ("runtime_s", 1, "runtime_s: must be a list"),
    ],
)
def test_a_range_is_checked(name: str, bounds: Any, reason: str) -> None:
    with pytest.raises(ProtocolError) as error:
        with_range(name, bounds)

    assert str(error.value).startswith(f"mine.toml: plausible.{reason}")


# --- Columns that rest on declared operands ---


def test_such_a_column_takes_no_part_in_the_order() -> None:
    protocol = parse_protocol(FILE, source="mine.toml")

    assert [column.is_declared for column in protocol.columns] == [False, True]
    assert [column.key for column in protocol.ranked_columns] == ["psnr"]


def test_a_new_file_must_say_that_it_uses_declared_operands() -> None:
    text = fault(FILE.replace("declared_operands = true\n", ""))

    assert text.startswith("mine.toml, line 24: columns[1].formula: uses what a fact sheet declares")
    assert "write declared_operands = true beside it" in text


def test_a_stored_snapshot_without_the_key_is_read_and_keeps_its_digest() -> None:
    """The digest is the one that the protocol had under scorer version 2, with its note of then."""
    stored = MAI22.to_json()
    del stored["columns"][2]["declared_operands"]
    stored["notes"][2] = (
        "The runtime is what the readme declares, so it must not decide a rank: the score comes last, and tells only "
        "teams of the same PSNR and SSIM apart."
    )

    protocol = Protocol.from_json(stored)

    assert protocol.digest == "620b230c1f567904c157e41e1fc847e03c93536d9c13faf12feffb21529749aa"
    assert [column.key for column in protocol.ranked_columns] == ["psnr", "ssim"]


def test_a_board_needs_a_column_that_orders_it() -> None:
    first, _, rest = FILE.partition("[[columns]]\n")
    text = first + "[[columns]]\n" + rest.partition("[[columns]]\n")[2]

    assert "columns: must have one that does not rest on declared operands" in fault(text)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("declared_operands = true", "declared_operands = false", "must be true or left out, not False"),
        ("psnr / runtime_ms", "2 * psnr", "needs a formula with one of runtime_s, runtime_ms, parameters, macs"),
        ('unit = "dB"', 'unit = "dB"\ndeclared_operands = true', "needs a formula with one of runtime_s"),
    ],
)
def test_the_key_stands_only_beside_a_formula_that_needs_it(old: str, new: str, reason: str) -> None:
    assert reason in fault(FILE.replace(old, new))


def test_an_explanation_tells_them_from_the_order() -> None:
    text = explain(MAI22)

    assert "  2. SSIM" in text
    assert "  3. " not in text
    assert "without ranking by them, values that rest on declared operands:\n  - Score is" in text
