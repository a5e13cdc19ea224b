"""An organiser's own protocol file: its mistakes, all of them, with their lines."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.protocol import (
    MAX_PROTOCOL_BYTES,
    Protocol,
    ProtocolError,
    UnknownProtocolError,
    find_protocol,
    load_protocol,
    parse_protocol,
)
from scoring.toml_lines import line_of

SHIPPED = Path(__file__).resolve().parents[2] / "scoring" / "protocols"

MINE = """\
name = "mine"
title = "Mine"
dtype = "uint16"
shape = [16, 16, 4]
level_scale = 1024.0
max_value = 1024
white_level = 1023
metrics = ["psnr", "ssim"]
tolerance = 1e-6
subsets = ["noise", "blur"]

[parameters.ssim]
taps = 11

[[columns]]
key = "psnr"
label = "PSNR"
direction = "desc"
precision = 2
unit = "dB"

[[columns]]
key = "psnr_noise"
label = "PSNR, noise"
direction = "desc"
precision = 2
unit = "dB"
metric = "psnr"
subset = "noise"
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ProtocolError) as error:
        parse_protocol(text, source="mine.toml")
    return str(error.value).splitlines()


def test_a_file_of_ones_own_is_found_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE, "utf-8")

    assert find_protocol(str(tmp_path / "mine.toml")) == parse_protocol(MINE, source="mine")


def test_any_other_name_is_one_that_ships() -> None:
    assert find_protocol("aim22-s7") == load_protocol("aim22-s7")
    with pytest.raises(UnknownProtocolError, match="aim22-s7"):
        find_protocol("mine")


def test_a_file_that_does_not_exist_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_protocol(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff", "is not UTF-8 text"), (b"#" * (MAX_PROTOCOL_BYTES + 1), "is longer than")]
)
def test_a_file_that_is_no_text_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "mine.toml").write_bytes(content)

    with pytest.raises(ProtocolError, match=rf"mine\.toml: {reason}"):
        find_protocol(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("text", ["a = [" * 5000, "a = " + "9" * 5000, "a = 2000-02-31", "a = 1\na = 2", "[", "a = 'b"])
def test_what_is_no_toml_is_one_mistake(text: str) -> None:
    assert mistakes(text)[0].startswith("mine.toml: not TOML: ")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('title = "Mine"', "title = 5", "mine.toml, line 2: title: must be a text, not 5"),
        ('title = "Mine"\n', "", "mine.toml: title: is missing"),
        ("taps = 11", "taps = 10", "mine.toml, line 13: parameters.ssim.taps: must be odd"),
        ("taps = 11", "taps = 1", "mine.toml, line 13: parameters.ssim.taps: must be between 3 and 63, not 1"),
        ("taps = 11", "taps = 11.0", "mine.toml, line 13: parameters.ssim.taps: must be an integer, not 11.0"),
        ("taps = 11", 'sigma = "1"', "mine.toml, line 13: parameters.ssim.sigma: must be a number, not '1'"),
        (
            "taps = 11",
            "sample_covariance = 1",
            "mine.toml, line 13: parameters.ssim.sample_covariance: must be true or false, not 1",
        ),
        ("taps = 11", 'preset = "mine"', "mine.toml, line 13: parameters.ssim.preset: must be one of aim22, wang, not"),
        ("taps = 11", 'metric = "psnr"', "mine.toml, line 13: parameters.ssim.metric: must be 'ssim', as that is a"),
        ("taps = 11", "channel = 4", "mine.toml, line 13: parameters.ssim.channel: must be below 4, the number of"),
        (
            "taps = 11",
            "tabs = 11",
            "mine.toml, line 13: parameters.ssim.tabs: is not a known key (known: channel, crop",
        ),
        ("[parameters.ssim]", "[parameters.mae]", "mine.toml, line 12: parameters.mae: is not one of this protocol's"),
        ('["psnr", "ssim"]', '["psnr", "delta_e"]', "mine.toml, line 12: parameters.ssim: is not one of this"),
        (
            '["psnr", "ssim"]',
            '["psnr", "ssim", "lpips"]',
            "mine.toml, line 8: metrics: 'lpips' is not a metric (known:",
        ),
        (
            'subset = "noise"',
            'subset = "nois"',
            "mine.toml, line 29: columns[1].subset: must be one of noise, blur, not",
        ),
        ('subset = "noise"\n', "", "mine.toml, line 28: columns[1].metric: needs a subset; a column of all images has"),
        ('metric = "psnr"\n', "", "mine.toml, line 22: columns[1].metric: is missing"),
        ('subset = "noise"', 'formula = "1"', "mine.toml, line 29: columns[1].formula: cannot stand beside a metric"),
        (
            '"psnr_noise"',
            '"Psnr-noise"',
            "mine.toml, line 23: columns[1].key: must be small letters, digits and _, not",
        ),
        ('"psnr_noise"', '"mae"', "mine.toml, line 23: columns[1].key: 'mae' already means something else"),
        ('"psnr_noise"', '"macs"', "mine.toml, line 23: columns[1].key: 'macs' already means something else"),
        ('subsets = ["noise", "blur"]', "", "mine.toml, line 29: columns[1].subset: needs the protocol's list of"),
        ('["noise", "blur"]', '["noise", "noise"]', "mine.toml, line 10: subsets: must be different texts, not"),
        ('["noise", "blur"]', "[1]", "mine.toml, line 10: subsets: must be different texts, not [1]"),
        (
            "tolerance = 1e-6",
            'tolerance = 1e-6\ncontainer = "tif"',
            "mine.toml, line 10: container: must be one of npy",
        ),
        (
            "tolerance = 1e-6",
            'tolerance = 1e-6\ncontainer = "png"',
            "mine.toml, line 6: max_value: must be between 1 and",
        ),
        (
            "tolerance = 1e-6",
            "tolerance = 1e-6\nchannels = 4",
            'mine.toml, line 10: channels: stands only beside shape = "',
        ),
        (
            "tolerance = 1e-6",
            "tolerance = 1e-6\nmax_macs = 0",
            "mine.toml, line 10: max_macs: must be finite and positive",
        ),
        ("[16, 16, 4]", '"reference"', "mine.toml: channels: is missing"),
        ("[16, 16, 4]", "[16, 10, 4]", "mine.toml, line 4: shape: must have at least 11 rows and columns"),
        (
            "level_scale = 1024.0",
            'level_scale = "per file"',
            "mine.toml, line 5: level_scale: is 'per file', which only",
        ),
        ("level_scale = 1024.0", f"level_scale = 1{'0' * 400}", "mine.toml, line 5: level_scale: must be finite and"),
        (
            "max_value = 1024",
            f"max_value = 0x{'f' * 5000}",
            "mine.toml, line 6: max_value: must be between 1 and 65535,",
        ),
        (
            "tolerance = 1e-6",
            f"tolerance = 1e-6\nsubset_pattern = '(?P<subset>a{{{'9' * 30}}})'",
            "mine.toml, line 10: sub",
        ),
    ],
)
def test_a_mistake_has_its_line(old: str, new: str, expected: str) -> None:
    assert old in MINE

    found = mistakes(MINE.replace(old, new))

    assert any(line.startswith(expected) for line in found), found


def test_all_mistakes_are_told_at_once() -> None:
    text = MINE.replace('"Mine"', "5").replace("1e-6", "-1").replace('"desc"', '"up"').replace("taps = 11", "taps = 2")

    assert [line.split(": ")[1] for line in mistakes(text + "colour = 1\n")] == [
        "parameters.ssim.taps",
        "title",
        "columns[0].direction",
        "columns[1].colour",
        "tolerance",
    ]


def test_several_unknown_keys_are_told_one_by_one() -> None:
    assert [line.split(": ")[0] for line in mistakes(f"a = 1\nb = 2\n{MINE}")] == [
        "mine.toml, line 1",
        "mine.toml, line 2",
    ]


def test_a_colour_difference_needs_colours() -> None:
    text = MINE.replace('["psnr", "ssim"]', '["psnr", "ssim", "delta_e"]')

    assert mistakes(text) == ["mine.toml, line 8: metrics: 'delta_e' needs three channels, not 4"]


def test_a_colour_difference_has_no_channel() -> None:
    text = MINE.replace('["psnr", "ssim"]', '["psnr", "ssim", "delta_e"]').replace(
        "[[columns]]", "[parameters.delta_e]\nchannel = 0\n[[columns]]", 1
    )

    assert "means nothing for a colour difference" in mistakes(text)[0]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("2^(2*psnr", "is not arithmetic"),
        ("psnr + vmaf", "'vmaf' is not known (known: macs, parameters, psnr, psnr_noise, runtime_ms, runtime_s, ssim)"),
        ("score", "'score' is not known"),
        ("open(1)", "uses open( ), which is none of min, max"),
    ],
)
def test_a_formula_that_is_wrong_has_its_line(formula: str, reason: str) -> None:
    column = '[[columns]]\nkey = "score"\nlabel = "S"\ndirection = "desc"\nprecision = 2\nunit = ""\n'

    assert mistakes(f'{MINE}{column}formula = "{formula}"\n')[0].startswith(
        f"mine.toml, line 36: columns[2].formula: {reason}"
    )


def test_a_metric_may_stand_there_twice_with_different_settings() -> None:
    text = MINE.replace('"ssim"]', '"ssim", "psnr_red"]').replace(
        "[[columns]]", '[parameters.psnr_red]\nmetric = "psnr"\nchannel = 0\n\n[[columns]]', 1
    )
    settings = parse_protocol(text, source="mine.toml").settings_of("psnr_red")

    assert (settings.metric, settings.channel) == ("psnr", 0)


@pytest.mark.parametrize("name", ['"Psnr"', '"a b"', '"é"'])
def test_the_name_of_a_metric_is_plain(name: str) -> None:
    text = MINE.replace('"ssim"]', f'"ssim", {name}]') + f'[parameters.{name}]\nmetric = "psnr"\n'

    assert "must be small letters, digits and _" in mistakes(text)[0]


def test_a_setting_that_is_the_default_is_none() -> None:
    default = parse_protocol(MINE.replace("taps = 11", "taps = 13"), source="mine.toml")

    assert default.settings == ()
    assert default.digest == parse_protocol(MINE.replace("taps = 11", 'preset = "aim22"'), source="mine.toml").digest


def test_what_stands_beside_a_preset_changes_it() -> None:
    text = MINE.replace("taps = 11", 'preset = "wang"\ncrop_px = 0')

    assert parse_protocol(text, source="mine.toml").metric_parameters("ssim") == {"taps": 11, "crop_px": 0}


def test_a_column_may_have_a_tolerance_of_its_own() -> None:
    protocol = parse_protocol(f"{MINE}tolerance = 0.5\n", source="mine.toml")

    assert protocol.tolerances == (1e-6, 0.5)


@given(
    st.dictionaries(
        st.sampled_from(["name", "shape", "metrics", "columns", "parameters", "subsets", "notes"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["key", "ssim", "taps"]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    )
)
def test_whatever_the_data_it_is_a_protocol_or_an_error(changes: dict[str, Any]) -> None:
    data = {**load_protocol("aim22-s7").to_json(), **changes}
    with suppress(ProtocolError):
        assert Protocol.from_json(data).metrics


# --- Lines --------------------------------------------------------------------------------------------------------

TEXT = '''\
a = 1 # b = 2
"b" = """
c = 3
"""
d.e = 4
columns = [
  { key = "x" },
]
[ table ]  # the table
c = 5
[[rows]]
[[rows]]
c = 6
[rows.inner]
c = 7
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a", 1),
        ("b", 2),
        ("c", None),
        ("d.e", 5),
        ("columns[0].key", 6),
        ("table", 9),
        ("table.c", 10),
        ("table.missing", 9),
        ("rows[0].c", 11),
        ("rows[1].c", 13),
        ("rows[7].c", None),
        ("the whole", None),
        ("", None),
    ],
)
def test_the_line_of_a_key(path: str, line: int | None) -> None:
    assert line_of(TEXT, path) == line
