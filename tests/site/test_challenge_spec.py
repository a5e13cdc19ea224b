"""The challenge file: what is read from it, and what is said about a wrong one."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import scoring
from bayerboard.importing import spec_yaml
from bayerboard.importing.spec import (
    ChallengeSpec,
    DownloadSpec,
    PhaseSpec,
    SpecError,
    SpecProblem,
    TrackSpec,
    load_challenge_spec,
)
from scoring.protocol import available_protocols

DOCS = Path(__file__).parents[2] / "docs" / "challenge-yaml.md"
GOOD = """\
slug: demo
title: Demo
time_zone: Europe/Zurich
tracks:
  - slug: s7
    title: Samsung S7
    protocol: aim22-s7
    baselines: [mosaic]
    downloads:
      - title: Readme
        path: readme.md
    phases:
      - slug: development
        title: Development
        starts_at: 2026-11-01 09:30
        ends_at: 2026-11-30 23:59
        inputs: rgb
        reference: raw
"""

Load = Callable[[str], ChallengeSpec]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    (tmp_path / "rgb").mkdir()
    (tmp_path / "raw").mkdir()
    (tmp_path / "readme.md").write_text("Read me.")

    def load_text(text: str) -> ChallengeSpec:
        file = tmp_path / "challenge.yaml"
        file.write_text(text)
        return load_challenge_spec(file)

    return load_text


def problems_of(load: Load, text: str) -> list[SpecProblem]:
    with pytest.raises(SpecError) as caught:
        load(text)
    return caught.value.problems


def problem_of(load: Load, text: str) -> SpecProblem:
    """Expect exactly one mistake."""
    (problem,) = problems_of(load, text)
    return problem


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


# --- What is read --------------------------------------------------------------------------------------


def test_a_good_file_is_read(load: Load) -> None:
    spec = load(GOOD)
    track = spec.tracks[0]
    assert (spec.slug, track.protocol.name, track.baselines, track.phases[0].slug) == (
        "demo",
        "aim22-s7",
        ("mosaic",),
        "development",
    )


def test_defaults(load: Load) -> None:
    phase = load(GOOD).tracks[0].phases[0]
    assert (phase.quota_per_day, phase.quota_total, phase.max_archive_bytes) == (5, 100, 500_000_000)
    assert (phase.board, phase.selection, phase.image_results, phase.own_scores) == (
        "open",
        "best",
        "organisers",
        "shown",
    )


def test_paths_are_relative_to_the_file(load: Load, tmp_path: Path) -> None:
    assert load(GOOD).tracks[0].phases[0].inputs == tmp_path / "rgb"


def test_data_may_be_a_zip(load: Load, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rgb.zip", "w") as archive:
        archive.writestr("6_0.jpg", b"")
    assert load(changed("inputs: rgb", "inputs: rgb.zip")).tracks[0].phases[0].inputs.name == "rgb.zip"


def test_a_description_may_lie_in_a_file(load: Load) -> None:
    assert load(f"{GOOD}description_file: readme.md\n").description_text == "Read me."


def test_terms_may_lie_in_a_file(load: Load) -> None:
    assert load(f"{GOOD}terms_file: readme.md\n").terms_text == "Read me."


def test_a_spec_is_frozen(load: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(GOOD).slug = "other"  # type: ignore[misc]


@pytest.mark.parametrize("title", ["NO", "12:30", "0x10", "2026-11-01", "1e3", "null and void", "007"])
def test_a_text_stays_what_was_written(load: Load, title: str) -> None:
    assert load(changed("title: Demo", f"title: {title}")).title == title


def test_a_number_with_a_leading_zero_is_decimal(load: Load) -> None:
    spec = load(changed("inputs: rgb", "inputs: rgb\n        quota_per_day: 010"))
    assert spec.tracks[0].phases[0].quota_per_day == 10


@pytest.mark.parametrize(("word", "listed"), [("true", True), ("no", False), ("'false'", False)])
def test_truth(load: Load, word: str, listed: bool) -> None:
    assert load(f"{GOOD}listed: {word}\n").listed is listed


def test_keys_can_be_merged(load: Load) -> None:
    text = changed("- slug: development", "- &usual\n        slug: development")
    phases = load(f"{text}      - <<: *usual\n        slug: test\n").tracks[0].phases
    assert [(phase.slug, phase.title) for phase in phases] == [
        ("development", "Development"),
        ("test", "Development"),
    ]


# --- Dates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_date_is_read_in_the_challenges_zone_quoted_or_not(load: Load, quote: str) -> None:
    spec = load(changed("2026-11-01 09:30", f"{quote}2026-11-01 09:30{quote}"))
    assert spec.tracks[0].phases[0].starts_at == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["2026-11-01T08:30Z", "2026-11-01 10:30 +02:00", "2026-11-01 10:30:00+0200", "2026-11-01t08:30:00.0z"],
)
def test_an_offset_wins_over_the_zone(load: Load, written: str) -> None:
    spec = load(changed("2026-11-01 09:30", written))
    assert spec.tracks[0].phases[0].starts_at == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)


def test_without_a_zone_dates_are_in_utc(load: Load) -> None:
    spec = load(changed("time_zone: Europe/Zurich\n", ""))
    assert spec.tracks[0].phases[0].starts_at == datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2026-11-01", "has no time of day"),
        ("1-2-2026 09:30", "is not a date and time"),
        ("tomorrow", "is not a date and time"),
        ("2026-02-30 09:30", "is not a date and time"),
        ("2026-11-01 24:00", "is not a date and time"),
        ("[2026-11-01 09:30]", "A date and time is expected"),
        ("0001-01-01 00:00", "outside of the calendar"),
        ("2026-03-29 02:30", "does not exist in Europe/Zurich"),
        ("2026-10-25 02:30", "comes twice in Europe/Zurich"),
    ],
)
def test_a_wrong_date(load: Load, written: str, message: str) -> None:
    problem = problem_of(load, changed("starts_at: 2026-11-01 09:30", f"starts_at: {written}"))
    assert problem.path == "tracks[0].phases[0].starts_at"
    assert message in problem.message


@pytest.mark.parametrize("end", ["2026-11-01 09:30", "2026-10-01 09:30"])
def test_an_end_that_is_not_after_the_start(load: Load, end: str) -> None:
    problem = problem_of(load, changed("2026-11-30 23:59", end))
    assert str(problem).endswith(
        "challenge.yaml:16:9: tracks[0].phases[0].ends_at: "
        "The phase ends before it starts (2026-11-01 08:30 UTC). Correct one of the two."
    )


def test_inputs_released_after_the_end(load: Load) -> None:
    problem = problem_of(load, f"{GOOD}        inputs_released_at: 2027-01-01 00:00\n")
    assert problem.path == "tracks[0].phases[0].inputs_released_at"


def test_an_open_board_has_no_opening(load: Load) -> None:
    problem = problem_of(load, f"{GOOD}        board_opens_at: 2027-01-01 00:00\n")
    assert problem.path == "tracks[0].phases[0].board_opens_at"


# --- One mistake ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "message", "hint"),
    [
        ("title: Demo", "titel: Demo\ntitle: D", 2, "titel", "This key is unknown.", "Did you mean “title”?"),
        (
            "reference: raw",
            "refrence: raw\n        reference: raw",
            18,
            "tracks[0].phases[0].refrence",
            "unknown",
            "“reference”",
        ),
        ("title: Demo", "titles_of_all: 1\ntitle: D", 2, "titles_of_all", "unknown", "Known: description"),
        ("title: Demo\n", "", 1, "title", "This key is missing.", "Add it."),
        ("title: Demo", "title:", 2, "title", "There is no value.", "remove the key"),
        ("title: Demo", f"title: {'x' * 121}", 2, "title", "longer than 120 characters (121)", "Shorten"),
        ("title: Demo", "title: [a, b]", 2, "title", "A text is expected here.", "same line"),
        ("title: Demo", "title: ' '", 2, "title", "The text is empty.", "Write it"),
        ("slug: demo", "slug: My Demo", 1, "slug", "“My Demo” cannot stand in an address.", "my-demo"),
        ("Europe/Zurich", "Europe/Zurch", 3, "time_zone", "“Europe/Zurch” is not a time zone.", "IANA"),
        ("Europe/Zurich", "../../etc/passwd", 3, "time_zone", "is not a time zone.", "IANA"),
        (
            "aim22-s7",
            "aim22-s8",
            7,
            "tracks[0].protocol",
            "There is no protocol “aim22-s8”.",
            "“aim22-s7”? Known: aim22-p20",
        ),
        ("[mosaic]", "[mosaik]", 8, "tracks[0].baselines[0]", "There is no baseline “mosaik”.", "“mosaic”"),
        ("[mosaic]", "mosaic", 8, "tracks[0].baselines", "A list is expected here.", "- "),
        (
            "path: readme.md",
            "path: readme.txt",
            11,
            "tracks[0].downloads[0].path",
            "no file or folder",
            "“readme.md”",
        ),
        (
            "inputs: rgb",
            "inputs: missing",
            17,
            "tracks[0].phases[0].inputs",
            "no file or folder",
            "relative to the folder",
        ),
        (
            "inputs: rgb",
            "inputs: readme.md",
            17,
            "tracks[0].phases[0].inputs",
            "neither a folder nor a zip",
            "zip",
        ),
        ("inputs: rgb", f"inputs: {'x' * 300}/rgb", 17, "tracks[0].phases[0].inputs", "no file or folder", "relative"),
        ("inputs: rgb", r'inputs: "a\0b"', 17, "tracks[0].phases[0].inputs", "no file or folder", "relative"),
        (
            "inputs: rgb",
            "inputs: {a: b}",
            17,
            "tracks[0].phases[0].inputs",
            "A path is expected",
            "Name a file",
        ),
    ],
)
def test_one_mistake(load: Load, old: str, new: str, line: int, path: str, message: str, hint: str) -> None:
    problem = problem_of(load, changed(old, new))
    assert (problem.line, problem.path) == (line, path)
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("line", "path", "message", "hint"),
    [
        ("quota_per_day: -1", "quota_per_day", "-1 is less than 1.", "1 or more"),
        ("quota_total: 0", "quota_total", "0 is less than 1.", "1 or more"),
        ("quota_total: many", "quota_total", "“many” is not a whole number.", "digits"),
        ("quota_total: 2.5", "quota_total", "“2.5” is not a whole number.", "digits"),
        ("max_archive_mb: 99999999", "max_archive_mb", "more than 1,000,000", "smaller"),
        ("board: opne", "board", "“opne” is not one of open, hidden, own-row.", "“open”"),
        ("selection: chosen", "selection", "“chosen” is not one of best, latest.", "Known: best, latest"),
        ("image_results: everybody", "image_results", "is not one of published, organisers", "Known"),
        ("own_scores: show", "own_scores", "is not one of shown, hidden", "“shown”"),
    ],
)
def test_one_mistake_in_a_phase(load: Load, line: str, path: str, message: str, hint: str) -> None:
    problem = problem_of(load, f"{GOOD}        {line}\n")
    assert (problem.line, problem.column, problem.path) == (19, 9, f"tracks[0].phases[0].{path}")
    assert message in problem.message
    assert hint in problem.hint


def test_neither_true_nor_false(load: Load) -> None:
    assert problem_of(load, f"{GOOD}listed: maybe\n").message == "“maybe” is neither true nor false."


def test_a_baseline_that_does_not_predict_for_the_protocol(load: Load) -> None:
    problem = problem_of(load, changed("aim22-s7", "ntire24-raw-sr"))
    assert problem.path == "tracks[0].baselines[0]"
    assert problem.message == "The baseline “mosaic” does not predict for ntire24-raw-sr."


def write_protocol(folder: Path, **changes: Any) -> None:
    """Write an organiser's own protocol: that of Samsung S7 with some keys changed."""
    text = (Path(scoring.__file__).parent / "protocols" / "aim22-s7.toml").read_text()
    for key, value in {"name": '"own"', **changes}.items():
        text = re.sub(f"(?m)^{key} = .*$", f"{key} = {value}", text)
    (folder / "own.toml").write_text(text)


def test_a_protocol_of_ones_own_comes_from_its_file(load: Load, tmp_path: Path) -> None:
    write_protocol(tmp_path, tolerance="1e-3")
    track = load(changed("aim22-s7\n    baselines: [mosaic]", "own.toml")).tracks[0]
    assert (track.protocol.name, track.protocol.tolerance) == ("own", 1e-3)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[aim22-s7]", "A text is expected here."),
        ("other.toml", "There is no file or folder “other.toml”."),
        ("folder.toml", "Is a directory"),
    ],
)
def test_a_protocol_that_cannot_be_read(load: Load, tmp_path: Path, value: str, message: str) -> None:
    (tmp_path / "folder.toml").mkdir()
    problem = problem_of(load, changed("aim22-s7\n    baselines: [mosaic]", value))
    assert problem.path == "tracks[0].protocol"
    assert message in problem.message


def test_mistakes_in_a_protocol_come_with_its_lines(load: Load, tmp_path: Path) -> None:
    write_protocol(tmp_path, tolerance="-1", dtype='"float32"')
    problem = problem_of(load, changed("aim22-s7\n    baselines: [mosaic]", "own.toml"))
    assert re.search(r"own\.toml, line 4: dtype.*; .*own\.toml, line 10: tolerance", problem.message)


def test_a_protocol_may_not_take_the_name_of_one_that_ships(load: Load, tmp_path: Path) -> None:
    write_protocol(tmp_path, name='"aim22-p20"')
    problem = problem_of(load, changed("aim22-s7\n    baselines: [mosaic]", "own.toml"))
    assert problem.message == "own.toml calls itself aim22-p20, as a protocol does that ships."


def test_a_spec_is_made_by_its_loader_alone() -> None:
    with pytest.raises(TypeError, match="load_challenge_spec"):
        DownloadSpec.model_validate({"title": "Kit", "path": "kit"})


def test_no_tracks(load: Load) -> None:
    assert problem_of(load, "slug: a\ntitle: A\ntracks: []\n").message == "At least one entry is needed."


def test_a_track_that_is_no_mapping(load: Load) -> None:
    problem = problem_of(load, "slug: a\ntitle: A\ntracks: [s7]\n")
    assert (problem.path, problem.message) == ("tracks[0]", "Keys and values are expected here.")


@pytest.mark.parametrize("key", ["description", "terms"])
def test_a_text_and_its_file(load: Load, key: str) -> None:
    problem = problem_of(load, f"{GOOD}{key}_file: readme.md\n{key}: Here.\n")
    assert (problem.path, problem.message) == (f"{key}_file", f"There is a {key} besides the file.")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe\x00", "not UTF-8"), (b" \n", "is empty"), (b"x" * 1_000_001, "larger than")],
)
def test_a_text_file_that_is_no_text(load: Load, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "terms.md").write_bytes(content)
    assert message in problem_of(load, f"{GOOD}terms_file: terms.md\n").message


def test_a_text_file_that_is_a_folder(load: Load) -> None:
    assert "is not a file" in problem_of(load, f"{GOOD}terms_file: rgb\n").message


# --- Names that stand twice ----------------------------------------------------------------------------


def test_a_key_that_stands_twice(load: Load) -> None:
    problem = problem_of(load, f"{GOOD}title: Again\n")
    assert (problem.line, problem.message) == (
        19,
        "The key “title” stands here a second time (first on line 2).",
    )


def test_a_phases_slug_that_stands_twice(load: Load) -> None:
    phase = GOOD[GOOD.index("      - slug: development") :]
    problem = problem_of(load, GOOD + phase)
    assert (problem.line, problem.path) == (19, "tracks[0].phases[1].slug")
    assert "first in tracks[0].phases[0]" in problem.message


def test_a_tracks_slug_that_stands_twice(load: Load) -> None:
    track = GOOD[GOOD.index("  - slug: s7") :]
    assert problem_of(load, GOOD + track).path == "tracks[1].slug"


def test_phases_of_different_tracks_may_share_a_slug(load: Load) -> None:
    track = GOOD[GOOD.index("  - slug: s7") :].replace("s7\n    title", "p20\n    title")
    assert len(load(GOOD + track).tracks) == 2


def test_a_downloads_title_that_stands_twice(load: Load) -> None:
    download = "      - title: Readme\n        path: readme.md\n"
    assert problem_of(load, changed(download, download * 2)).path == "tracks[0].downloads[1].title"


@pytest.mark.parametrize(("key", "indent"), [("organisers", ""), ("baselines", "    ")])
def test_a_name_in_a_list_that_stands_twice(load: Load, key: str, indent: str) -> None:
    text = changed("    baselines: [mosaic]\n", "").replace(
        "    downloads:", f"    {key}: [mosaic, mosaic]\n    downloads:"
    )
    if not indent:
        text = f"{GOOD}{key}: [mosaic, mosaic]\n"
    assert problem_of(load, text).path.endswith(f"{key}[1]")


# --- Everything at once --------------------------------------------------------------------------------


def test_every_mistake_is_reported_in_the_order_of_the_file(load: Load) -> None:
    text = (
        changed("slug: demo", "slug: De mo")
        .replace("title: Demo", "titel: Demo")
        .replace("Europe/Zurich", "Mars")
        .replace("aim22-s7", "png")
        .replace("mosaic", "magic")
        .replace("2026-11-30 23:59", "2026-01-01 00:00")
        .replace("reference: raw", "quota_per_day: -3")
    )
    assert [(problem.line, problem.path) for problem in problems_of(load, f"{text}slug: again\n")] == [
        (1, "slug"),
        (1, "title"),
        (2, "titel"),
        (3, "time_zone"),
        (7, "tracks[0].protocol"),
        (8, "tracks[0].baselines[0]"),
        (13, "tracks[0].phases[0].reference"),
        (16, "tracks[0].phases[0].ends_at"),
        (18, "tracks[0].phases[0].quota_per_day"),
        (19, "slug"),
    ]


def test_a_slug_that_stands_twice_is_found_besides_other_mistakes(load: Load) -> None:
    phase = GOOD[GOOD.index("      - slug: development") :]
    paths = [problem.path for problem in problems_of(load, GOOD.replace("aim22-s7", "png") + phase)]
    assert paths == ["tracks[0].protocol", "tracks[0].phases[1].slug"]


def test_the_mistakes_are_the_text_of_the_exception(load: Load) -> None:
    with pytest.raises(SpecError, match=r"challenge\.yaml:1:1: slug: .*\n.*challenge\.yaml:2:1: titel: "):
        load(GOOD.replace("slug: demo", "slug: De mo").replace("title: Demo", "titel: Demo\ntitle: Demo"))


# --- What is no YAML, and what is too much -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("slug: demo\ntitle: [a, b\n", 3, "This is not YAML"),
        ("slug: demo\n\ttitle: a\n", 2, "This is not YAML"),
        ("slug: demo\ntitle: a: b\n", 2, "This is not YAML"),
        ("slug: demo\ntitle: *nobody\n", 2, "undefined alias"),
        ("slug: demo\n---\nslug: other\n", 2, "This is not YAML"),
        ("slug: demo\ntitle: \x07\n", 2, "This is not YAML"),
        ("", 1, "The file is empty."),
        ("# nothing\n", 1, "The file is empty."),
        ("- slug\n", 1, "The file must hold keys and values."),
        ("slug\n", 1, "The file must hold keys and values."),
    ],
)
def test_no_yaml(load: Load, text: str, line: int, message: str) -> None:
    problem = problem_of(load, text)
    assert problem.line == line
    assert message in problem.message


def test_a_tag_is_never_constructed(load: Load, tmp_path: Path) -> None:
    target = tmp_path / "made"
    problems = problems_of(load, changed("title: Demo", f"title: !!python/object/apply:os.mkdir ['{target}']"))
    assert problems[-1].message == "The tag tag:yaml.org,2002:python/object/apply:os.mkdir has no meaning here."
    assert not target.exists()


def test_a_key_that_is_a_list(load: Load) -> None:
    assert problem_of(load, f"{GOOD}? [a]\n: b\n").message == "A key must be a word."


def test_merging_what_is_no_mapping(load: Load) -> None:
    assert problem_of(load, f"{GOOD}<<: [text]\n").message == "Only a mapping can be merged with <<."


def test_aliases_do_not_multiply(load: Load) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert problem_of(load, bomb).message == "The file holds more than 20,000 values."


@pytest.mark.parametrize("text", ["slug: &a [*a]\n", "slug: &a {x: *a}\n"])
def test_a_value_that_contains_itself(load: Load, text: str) -> None:
    assert problem_of(load, text).message == "The file holds more than 24 levels."


@pytest.mark.parametrize("text", ["&a\n<<: *a\nslug: x\n", "&a\n<<: [*a, *a]\nslug: x\n"])
def test_a_mapping_that_is_merged_into_itself(load: Load, text: str) -> None:
    assert problem_of(load, text).message == "The file holds more than 20,000 values."


def test_deep_nesting(load: Load) -> None:
    assert "nested deeper than 24" in problem_of(load, "slug: " + "[" * 100_000).message


def test_a_large_file(load: Load) -> None:
    assert "larger than 1,000,000 bytes" in problem_of(load, "#" * (spec_yaml.MAX_FILE_BYTES + 1)).message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        load_challenge_spec(tmp_path / "challenge.yaml")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="Is a directory"):
        load_challenge_spec(tmp_path)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "challenge.yaml"
    file.write_bytes("slug: demo\ntitle: Zürich\n".encode("latin-1"))
    with pytest.raises(SpecError, match=r"challenge\.yaml:2:1: The file is not UTF-8 text"):
        load_challenge_spec(file)


# --- The page about it ---------------------------------------------------------------------------------


def documented_example() -> str:
    return DOCS.read_text().split("```yaml\n")[1].split("```")[0]


def paths_in(value: Any) -> list[str]:
    """Every path that the example names."""
    if isinstance(value, list):
        return [path for item in value for path in paths_in(item)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("path", "inputs", "reference", "description_file", "terms_file") if key in value]
    return own + [path for item in value.values() for path in paths_in(item)]


def test_the_documented_example_is_right(tmp_path: Path) -> None:
    file = tmp_path / "challenge.yaml"
    file.write_text(documented_example())
    for name in paths_in(yaml.safe_load(documented_example())):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".zip":
            zipfile.ZipFile(path, "w").close()
        elif path.suffix:
            path.write_text("Text.")
        else:
            path.mkdir()
    assert [len(track.phases) for track in load_challenge_spec(file).tracks] == [2]


@pytest.mark.parametrize(
    ("heading", "model"),
    [("Challenge", ChallengeSpec), ("Track", TrackSpec), ("Download", DownloadSpec), ("Phase", PhaseSpec)],
)
def test_every_key_is_documented(heading: str, model: type[ChallengeSpec]) -> None:
    section = DOCS.read_text().split(f"\n### {heading}\n")[1].split("\n#")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    assert {key for row in rows for key in re.findall("`([a-z_]+)`", row)} == set(model.model_fields)
    required = {key for row in rows for key in re.findall(r"\*\*`([a-z_]+)`\*\*", row)}
    assert required == {name for name, field in model.model_fields.items() if field.is_required()}


def test_every_protocol_is_documented() -> None:
    text = DOCS.read_text()
    assert all(f"`{name}`" in text for name in available_protocols())
