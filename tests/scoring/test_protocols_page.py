"""docs/protocols.md, compared with the keys that the reader takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scoring.formula import FUNCTION_NAMES
from scoring.metrics import METRICS
from scoring.metrics.parameters import PARAMETERS, PRESETS
from scoring.operands import DECLARED_NAMES
from scoring.protocol import PROTOCOL_KEYS, parse_protocol
from scoring.protocol_parts import COLUMN_KEYS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocols.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> list[str]:
    return re.findall(r"^\| `([a-z_]+)` \|", section(title), re.MULTILINE)


def test_every_key_has_a_row() -> None:
    assert sorted(first_cells("Keys")) == sorted(PROTOCOL_KEYS)


def test_every_key_of_a_column_has_a_row() -> None:
    assert sorted(first_cells("Columns")) == sorted(COLUMN_KEYS)


def test_every_setting_has_a_row_with_its_default() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| `([a-z_]+)` \| (\S+) \|", PAGE, re.MULTILINE)

    expected = [
        (metric, name, f"{parameter.default}".lower())
        for metric, parameters in PARAMETERS.items()
        for name, parameter in parameters.items()
    ]
    assert rows == expected


def test_the_metrics_have_settings_and_a_place_on_the_page() -> None:
    assert METRICS.keys() == PARAMETERS.keys()
    assert all(f'`"{metric}"`' in section("Keys") for metric in METRICS)


@pytest.mark.parametrize("preset", PRESETS["ssim"])
def test_presets_are_named(preset: str) -> None:
    assert f'`"{preset}"`' in section("Settings of metrics")


def test_what_a_formula_may_use_is_named() -> None:
    assert [name for name in (*FUNCTION_NAMES, *DECLARED_NAMES) if f"`{name}`" not in section("Formulas")] == []


def test_the_small_one_is_a_protocol() -> None:
    text = section("A small one").split("```toml\n")[1].split("```")[0]

    assert parse_protocol(text, source="page").name == "my-track"
