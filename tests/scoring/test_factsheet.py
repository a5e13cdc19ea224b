"""The readme: by meaning, by position, however it was typed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.factsheet import MAX_DESCRIPTION_CHARACTERS, Device, FactSheet, parse_readme

TEMPLATE = """\
runtime per frame [s] : 0.0036
CPU[1] / GPU[0] : 1
Extra Data [1] / No Extra Data [0] : 0
Other description : Solution based on a UNet.
"""
AS_DECLARED = FactSheet(0.0036, "cpu", False, "Solution based on a UNet.")


def parse(text: str) -> FactSheet:
    return parse_readme(text.encode())


def test_the_organisers_template() -> None:
    assert parse(TEMPLATE) == AS_DECLARED


@pytest.mark.parametrize(
    "data",
    [
        TEMPLATE.replace("\n", "\r\n").encode(),
        TEMPLATE.replace("\n", "\r").encode(),
        TEMPLATE.replace("\n", "\n\n\n").encode(),
        TEMPLATE.encode("utf-8-sig"),
        TEMPLATE.encode("utf-16"),
        TEMPLATE.upper().replace("SOLUTION BASED ON A UNET", "Solution based on a UNet").encode(),
        TEMPLATE.replace(" : ", "：").encode(),
        TEMPLATE.replace(" : ", " = ").encode(),
        TEMPLATE.replace("runtime per frame [s] :", "**Runtime per frame [s]**:").encode(),
        ("# Team XY\n\n" + TEMPLATE).encode(),
        "\n".join(f"- {line}" for line in TEMPLATE.splitlines()).encode(),
        "\n".join(reversed(TEMPLATE.splitlines())).encode(),
    ],
)
def test_the_template_however_it_was_typed(data: bytes) -> None:
    assert parse_readme(data) == AS_DECLARED


def test_labels_that_say_nothing_count_by_position() -> None:
    assert parse("a: 0.0036\nb: 1\nc: 0\nd: Solution based on a UNet.\n") == AS_DECLARED


def test_position_is_as_strict_as_the_organisers() -> None:
    assert parse("Team: 3 Musketeers\nLeader: 1 person\n").runtime_s is None


def test_a_label_with_a_meaning_is_never_taken_by_position() -> None:
    sheet = parse("Extra data: 1\nDescription: 7\nRuntime: 2\nDevice: GPU")

    assert sheet == FactSheet(2.0, "gpu", True, "7")


def test_the_first_line_of_a_meaning_counts() -> None:
    assert parse("runtime: 1\nruntime: 2").runtime_s == 1.0


def test_prose_with_a_colon_is_no_label() -> None:
    prose = "We measured the runtime of our method on a machine that we rented for a day: 5"

    assert parse(f"x\n{prose}\n").runtime_s is not None  # by position, as it is the first line with a colon
    assert parse(f"a: b\n{prose}\n").runtime_s is None


@pytest.mark.parametrize(
    ("value", "runtime_s"),
    [
        ("0.0036", 0.0036),
        ("0.0036 s", 0.0036),
        ("0.0036s/frame", 0.0036),
        ("0,0036", 0.0036),
        (".5", 0.5),
        ("3.", 3.0),
        ("3.6e-3", 0.0036),
        ("3.6 ms", 0.0036),
        ("3.6ms (RTX 3090)", 0.0036),
        ("about 3.6 milliseconds", 0.0036),
        ("RTX 3090: 3.6 ms", 0.0036),
        ("3600 µs", 0.0036),
        ("3600 us", 0.0036),
        ("~ 0.0036 on a V100", 0.0036),
        ("2 min", 120.0),
        ("0", 0.0),
        ("**0.0036**", 0.0036),
        ("25 fps", None),
        ("-1", None),
        ("-0.5 s", None),
        ("V100", None),
        ("unknown, maybe 3", None),
        ("n/a", None),
        ("nan", None),
        ("1e999", None),
        ("", None),
    ],
)
def test_runtimes(value: str, runtime_s: float | None) -> None:
    read = parse(f"runtime per frame [s] : {value}").runtime_s

    assert read == (None if runtime_s is None else pytest.approx(runtime_s, rel=1e-12))


@pytest.mark.parametrize("label", ["Runtime [ms]", "inference time (ms)", "Time per image [ms]", "Run-time [ms]"])
def test_the_unit_may_stand_in_the_label(label: str) -> None:
    assert parse(f"{label}: 3.6").runtime_s == pytest.approx(0.0036)


def test_the_values_own_unit_goes_before_the_labels() -> None:
    assert parse("Runtime [s]: 3.6 ms").runtime_s == pytest.approx(0.0036)


def test_a_runtime_on_a_gpu_is_a_runtime() -> None:
    sheet = parse("Runtime on GPU [s]: 0.5")

    assert (sheet.runtime_s, sheet.device) == (0.5, None)


@pytest.mark.parametrize(
    ("line", "device"),
    [
        ("CPU[1] / GPU[0] : 1", "cpu"),
        ("CPU[1] / GPU[0] : 0", "gpu"),
        ("CPU[1] / GPU[0] : [0]", "gpu"),
        ("CPU[1] / GPU[0] : 0 (RTX 3090)", "gpu"),
        ("CPU[1] / GPU[0] : GPU", "gpu"),
        ("CPU[1] / GPU[0] : 1.0", "cpu"),
        ("GPU[1] / CPU[0] : 1", "gpu"),
        ("Device: NVIDIA V100", "gpu"),
        ("Hardware: Intel Xeon", "cpu"),
        ("CPU[1] / GPU[0] : 1 GPU", None),
        ("Device: CPU and GPU", None),
        ("Device: phone", None),
        ("CPU[1] / GPU[0] :", None),
        ("GPU memory: 24 GB\nDevice: GPU", "gpu"),
        ("CPU[1] / GPU[0] : 10", None),
    ],
)
def test_devices(line: str, device: Device | None) -> None:
    assert parse(line).device == device


@pytest.mark.parametrize(
    ("value", "extra_data"),
    [
        ("1", True),
        ("0", False),
        ("1 (ImageNet)", True),
        ("yes", True),
        ("No", False),
        ("none", False),
        ("without", False),
        ("true", True),
        ("ImageNet", None),
        ("yes and no", None),
        ("", None),
    ],
)
def test_extra_data(value: str, extra_data: bool | None) -> None:
    assert parse(f"Extra Data [1] / No Extra Data [0] : {value}").extra_data is extra_data


def test_a_description_may_have_several_lines() -> None:
    sheet = parse("Description: First.\n\n  Second: with a colon.\nThird.\n")

    assert sheet.description == "First.\n\n  Second: with a colon.\nThird."


def test_the_templates_last_line_may_be_shortened() -> None:
    assert parse("Runtime: 1\nOther: a UNet").description == "a UNet"


def test_a_description_ends_where_the_next_label_begins() -> None:
    assert parse("Description: First.\nSecond.\nRuntime: 5\n").description == "First.\nSecond."


def test_a_description_has_an_end() -> None:
    sheet = parse(f"Description: {'x' * 2 * MAX_DESCRIPTION_CHARACTERS}")

    assert len(sheet.description) == MAX_DESCRIPTION_CHARACTERS


def test_a_description_has_no_control_characters() -> None:
    assert parse("Description: a\x00b\x1bc\td").description == "abc\td"


def test_missing_names_what_was_not_declared() -> None:
    assert parse("Runtime: 1\nDescription: x").missing() == ["CPU or GPU", "extra data"]


def test_a_readme_of_something_else_is_empty() -> None:
    assert parse("Hello organisers").is_empty()


def test_json_and_back() -> None:
    assert FactSheet.from_json(AS_DECLARED.to_json()) == AS_DECLARED


@given(st.binary(max_size=400))
def test_any_bytes_are_a_fact_sheet(data: bytes) -> None:
    sheet = parse_readme(data)

    text = json.dumps(sheet.to_json(), allow_nan=False)
    assert FactSheet.from_json(json.loads(text)) == sheet


LABELS = st.sampled_from(["runtime [s]", "runtime [ms]", "CPU[1]/GPU[0]", "extra data", "description", "x", ""])


@given(st.lists(st.tuples(LABELS, st.sampled_from([":", "=", "："]), st.text(max_size=20)), max_size=6))
def test_any_values_are_a_fact_sheet(lines: list[tuple[str, str, str]]) -> None:
    sheet = parse_readme("\n".join("".join(line) for line in lines).encode("utf-8", "surrogatepass"))

    assert sheet.runtime_s is None or sheet.runtime_s >= 0
    json.dumps(sheet.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("line", "parameters"),
    [
        ("Parameters : 187432", 187_432),
        ("Parameters [M] : 0.19", 190_000),
        ("Number of parameters: 0.19 M", 190_000),
        ("#Params = ~ 0.2M", 200_000),
        ("Parameters : 1,940,000", 1_940_000),
        ("Parameters : 12,345", 12_345),
        ("Parameters [M] : 0,194", 194_000),
        ("Parameters : 1,940 M", 1_940_000),
        ("Parameters (k) : 194", 194_000),
        ("Parameters : 1.86 million", 1_860_000),
        ("Parameters : 0", 0),
        ("Parameters : about two million", None),
        ("Parameters : 1.94.3", None),
        ("Parameters : 12 bananas", None),
        ("Parameters : 1e999", None),
        ("Parameters :", None),
    ],
)
def test_a_number_of_parameters(line: str, parameters: float | None) -> None:
    sheet = parse(f"{line}\nOther description : 5 parameters")

    assert sheet.parameters == (None if parameters is None else pytest.approx(parameters))


@pytest.mark.parametrize(
    ("line", "macs"),
    [
        ("MACs [G] : 12.5", 12.5e9),
        ("GMACs : 12.5G", 12.5e9),
        ("Multiply-accumulates : 2 T", 2e12),
        ("macs: 300 M", 3e8),
    ],
)
def test_a_number_of_macs(line: str, macs: float) -> None:
    assert parse(line).macs == pytest.approx(macs)


def test_counts_do_not_disturb_the_organisers_template() -> None:
    sheet = parse(f"{TEMPLATE}Parameters [M] : 0.19\nMACs [G] : 12\n")

    assert sheet == FactSheet(0.0036, "cpu", False, "Solution based on a UNet.", 190_000.0, 12e9)
    assert FactSheet.from_json(json.loads(json.dumps(sheet.to_json()))) == sheet


def test_a_fact_sheet_without_counts_reads_as_it_did_before_there_were_any() -> None:
    assert AS_DECLARED.to_json().keys() == {"runtime_s", "device", "extra_data", "description"}
