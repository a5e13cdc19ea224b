"""Protocols: those that ship, and the faults of others."""

from __future__ import annotations

from typing import Any

import pytest

from scoring.protocol import (
    Column,
    Protocol,
    ProtocolError,
    UnknownProtocolError,
    available_protocols,
    load_protocol,
    parse_protocol,
)


def test_the_challenges_of_the_family_ship() -> None:
    assert available_protocols() == [
        "aim22-p20",
        "aim22-s7",
        "mai22-learned-isp",
        "ntire24-raw-sr",
        "ntire25-raw-from-srgb",
        "ntire25-raw-restoration",
        "ntire26-unpaired-isp",
    ]


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("aim22-s7", "8b04de6809325f936c9bf8a5ebb19e751c9573e9c9381f2d0e8e2c16107ee780"),
        ("aim22-p20", "01f67e1b62c7f64943bf6e4ebf0b306f2c085aeebb6ca9d1cbdf0d549c16637b"),
    ],
)
def test_a_snapshot_that_is_stored_somewhere_stays_the_same(name: str, digest: str) -> None:
    """New keys must not make an old score look as if its protocol had changed."""
    assert load_protocol(name).digest == digest


@pytest.mark.parametrize("name", available_protocols())
def test_a_protocol_is_named_as_its_file(name: str) -> None:
    assert load_protocol(name).name == name


@pytest.mark.parametrize(
    ("name", "shape", "white_level"),
    [("aim22-s7", (252, 252, 4), 1023), ("aim22-p20", (248, 248, 4), 1020)],
)
def test_images_and_levels_are_the_organisers(name: str, shape: tuple[int, ...], white_level: int) -> None:
    protocol = load_protocol(name)

    assert (protocol.shape, protocol.dtype, protocol.white_level) == (shape, "uint16", white_level)
    assert (protocol.level_scale, protocol.max_value) == (1024.0, 1024)


@pytest.mark.parametrize(("name", "order"), [("aim22-s7", ["psnr", "ssim"]), ("aim22-p20", ["ssim", "psnr"])])
def test_the_columns_are_in_each_tracks_order(name: str, order: list[str]) -> None:
    assert [column.key for column in load_protocol(name).columns] == order


def test_psnr_is_shown_in_decibels() -> None:
    assert load_protocol("aim22-s7").columns[0] == Column("psnr", "PSNR", "desc", 2, "dB")


@pytest.mark.parametrize("name", available_protocols())
def test_json_and_back(name: str) -> None:
    protocol = load_protocol(name)

    assert Protocol.from_json(protocol.to_json()) == protocol


def test_the_digest_is_of_the_content() -> None:
    protocol = load_protocol("aim22-s7")
    changed = Protocol.from_json({**protocol.to_json(), "tolerance": 1e-3})

    assert Protocol.from_json(protocol.to_json()).digest == protocol.digest != changed.digest


def test_the_group_is_the_photo_a_tile_was_cut_from() -> None:
    assert load_protocol("aim22-s7").group_of("12_47") == "12"


def test_a_name_of_another_form_has_no_group() -> None:
    assert load_protocol("aim22-s7").group_of("flower") is None


def test_without_a_pattern_there_are_no_groups() -> None:
    data = {**load_protocol("aim22-s7").to_json(), "group_pattern": None}

    assert Protocol.from_json(data).group_of("12_47") is None


@pytest.mark.parametrize("name", ["aim22", "../aim22-s7", "aim22-s7.toml", ""])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownProtocolError, match="aim22-p20, aim22-s7"):
        load_protocol(name)


def test_a_file_that_is_not_toml_is_named() -> None:
    with pytest.raises(ProtocolError, match=r"mine\.toml: not TOML: .*line 2"):
        parse_protocol("name = 'a'\nname\n", source="mine.toml")


COLUMN = {"key": "psnr", "label": "PSNR", "direction": "desc", "precision": 2, "unit": "dB"}
MISSING = object()


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("name", MISSING, "name: is missing"),
        ("name", "", "name: must not be empty"),
        ("title", 5, "title: must be a text"),
        ("dtype", "float32", "dtype: must be one of uint16"),
        ("shape", 252, "shape: must be a list"),
        ("shape", [252, 252], "shape: must be 3 positive integers"),
        ("shape", [252, 10, 4], "shape: must have at least 11 rows"),
        ("level_scale", "1024", "level_scale: must be a number"),
        ("level_scale", 0, "level_scale: must be finite and positive"),
        ("level_scale", float("inf"), "level_scale: must be finite"),
        ("level_scale", True, "level_scale: must be a number, not True"),
        ("max_value", 1024.0, "max_value: must be an integer"),
        ("max_value", 65536, "max_value: must be between 1 and 65535"),
        ("white_level", 1025, "white_level: must be between 1 and 1024"),
        ("metrics", [], "metrics: must not be empty"),
        ("metrics", ["lpips"], "metrics: 'lpips' is not a metric"),
        ("metrics", [["psnr"]], r"metrics: \['psnr'\] is not a metric"),
        ("metrics", ["psnr", "psnr"], "metrics: names a metric twice"),
        ("columns", ["psnr"], r"columns\[0\]: must be a table"),
        ("columns", [{**COLUMN, "key": "lpips"}], r"columns\[0\].key: must be one of psnr, ssim"),
        ("columns", [{**COLUMN, "direction": "up"}], r"columns\[0\].direction: must be one of desc, asc"),
        ("columns", [{**COLUMN, "precision": 11}], r"columns\[0\].precision: must be between"),
        ("columns", [{**COLUMN, "colour": "red"}], r"columns\[0\].colour: is not a known key"),
        ("columns", [COLUMN, COLUMN], r"columns\[1\].key: 'psnr' is the key of an earlier column"),
        ("tolerance", -1e-6, "tolerance: must be finite and not negative"),
        ("group_pattern", "(", "group_pattern: is not a regular expression"),
        ("group_pattern", r"(\d+)", "group_pattern: must have a group"),
        ("group_pattern", 5, "group_pattern: must be a text"),
        ("bonus", 1, "bonus: is not a known key"),
    ],
)
def test_a_fault_is_named_with_its_file_and_key(key: str, value: Any, where: str) -> None:
    data = {**load_protocol("aim22-s7").to_json(), key: value}
    if value is MISSING:
        del data[key]

    with pytest.raises(ProtocolError, match=rf"^mine\.toml: {where}"):
        Protocol.from_json(data, source="mine.toml")


def test_small_may_be_better() -> None:
    data = {**load_protocol("aim22-s7").to_json(), "columns": [{**COLUMN, "direction": "asc"}]}

    assert Protocol.from_json(data).columns[0].direction == "asc"


def test_a_tolerance_may_be_zero() -> None:
    assert Protocol.from_json({**load_protocol("aim22-s7").to_json(), "tolerance": 0}).tolerance == 0.0


@pytest.mark.parametrize(
    ("changes", "has_limits"), [({}, False), ({"max_parameters": 200_000}, True), ({"max_macs": 1e9}, True)]
)
def test_it_has_limits_where_one_is_set(changes: dict[str, Any], has_limits: bool) -> None:
    data = load_protocol("aim22-s7").to_json() | changes

    assert Protocol.from_json(data).has_limits is has_limits


def test_it_has_a_formula_where_a_column_is_one() -> None:
    assert {name for name in available_protocols() if load_protocol(name).has_formula} == {"mai22-learned-isp"}


def test_a_column_is_of_a_subset_by_itself_or_by_its_formula() -> None:
    data = load_protocol("aim22-s7").to_json()
    of_noise = {**COLUMN, "key": "psnr_noise", "metric": "psnr", "subset": "noise"}
    columns = [
        COLUMN,
        of_noise,
        *({**COLUMN, "key": key, "formula": f"2 * {key[2:]}"} for key in ("a_psnr", "b_psnr_noise")),
    ]
    protocol = Protocol.from_json({**data, "subsets": ["noise"], "columns": columns})

    found = {column.key: protocol.is_of_subset(column) for column in protocol.columns}

    assert found == {"psnr": False, "psnr_noise": True, "a_psnr": False, "b_psnr_noise": True}
