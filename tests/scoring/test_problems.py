"""The catalogue of problems, its wording, and its page."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.problems import CATALOGUE, Problem, SubmissionRejected, problem
from scoring.problems_page import problems_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "problems.md"
TEMPLATES = [text for entry in CATALOGUE.values() for text in (entry.what, entry.to_do)]

# The site's refusals, and the code by which it looks each up.
REFUSALS = {
    "already-cancelled",
    "already-finished",
    "already-started",
    "archive-missing",
    "archive-too-large",
    "inputs-not-released",
    "not-a-participant",
    "not-a-trial",
    "not-signed-in",
    "part-unknown",
    "part-wrong-size",
    "phase-closed",
    "phase-not-open",
    "phase-not-ready",
    "quota-day-used",
    "quota-total-used",
    "rejected-attempts-used",
    "storage-full",
    "storage-unavailable",
    "team-excluded",
    "too-many-uploads",
    "trial-running",
    "upload-address-expired",
    "upload-ended",
    "upload-expired",
    "upload-incomplete",
    "upload-not-complete",
    "upload-request-invalid",
    "upload-unknown",
    "viewers-send-nothing",
}
# Why a scoring broke off, by the code that is stored with it.
FAILURES = {"internal-error", "memory-limit-reached", "time-limit-reached", "worker-died", "worker-stalled"}


def test_codes_are_kebab_case() -> None:
    assert [code for code in CATALOGUE if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []


def test_codes_stay_what_the_site_knows() -> None:
    assert {code for code, entry in CATALOGUE.items() if entry.level == "refusal"} == REFUSALS
    assert {code for code, entry in CATALOGUE.items() if entry.level == "failure"} == FAILURES


def test_a_wording_is_one_sentence() -> None:
    assert [text for text in TEMPLATES if not re.fullmatch(r"[^.].*\.", text) or re.search(r"[.!?] [A-Z]", text)] == []


def test_a_template_names_values_and_nothing_else() -> None:
    """So that a page's script can fill it in by replacing ``{name}``."""
    for text in TEMPLATES:
        for _, name, specification, conversion in Formatter().parse(text):
            assert name is None or re.fullmatch(r"[a-z_]+", name), text
            assert (specification or "", conversion) == ("", None), text


def codes_of(*levels: str) -> list[str]:
    return [code for code, entry in CATALOGUE.items() if entry.level in levels]


def test_what_is_wrong_with_an_archive_names_the_file() -> None:
    assert [code for code in codes_of("error", "warning") if "{file}" not in CATALOGUE[code].what] == []


def test_a_refusal_reads_well_without_a_name() -> None:
    """Where the name is left out, "The archive" stands for it: only at the beginning of a sentence."""
    texts = {code: CATALOGUE[code].what[1:] + CATALOGUE[code].to_do for code in codes_of("refusal", "failure")}
    assert [code for code, text in texts.items() if "{file}" in text] == []


def test_no_wording_has_a_place_for_a_reference_value() -> None:
    assert not any("reference" in name for code in CATALOGUE for name in names_in(code) - {"reference_number"})


def names_in(code: str) -> set[str]:
    entry = CATALOGUE[code]
    return {name for _, name, _, _ in Formatter().parse(entry.what + entry.to_do) if name}


def test_a_problem_has_its_values_filled_in() -> None:
    found = problem("wrong-shape", file="s/6_0.npy", actual="(1, 2)", expected="(3, 4)")

    assert found == Problem(
        code="wrong-shape",
        message="s/6_0.npy has shape (1, 2); the protocol expects (3, 4).",
        hint=CATALOGUE["wrong-shape"].to_do,
        file="s/6_0.npy",
    )


def test_without_a_name_the_archive_is_meant() -> None:
    found = problem("archive-empty")

    assert (found.message, found.file) == ("The archive is empty (0 bytes).", None)


def test_an_unknown_code_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError):
        problem("no-such-code")


def test_a_value_that_is_left_out_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError, match="expected"):
        problem("wrong-shape", file="6_0.npy", actual="(1, 2)")


def test_a_name_is_never_taken_for_a_template() -> None:
    found = problem("image-misnamed", file="{expected}{0.__class__}.npy", expected="6_0.npy")

    assert found.message.startswith("{expected}{0.__class__}.npy is misnamed")


@given(st.text())
def test_a_message_is_one_printable_line_whatever_the_name(name: str) -> None:
    found = problem("image-missing", file=name)

    assert found.message.isprintable()
    assert len(found.message) < 150


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    found = problem("image-missing", file="a" * 500 + ".npy")

    assert found.file is not None
    assert re.fullmatch(r"a+…a+\.npy", found.file)
    assert len(found.file) == 120


def test_json_and_back() -> None:
    found = problem("image-missing", file="6_0.npy")

    assert Problem.from_json(found.to_json()) == found


def test_a_rejection_reads_as_its_errors() -> None:
    rejection = SubmissionRejected([problem("image-missing", file="6_0.npy"), problem("archive-empty")])

    assert str(rejection) == ("image-missing: 6_0.npy is missing.; archive-empty: The archive is empty (0 bytes).")


def test_the_committed_page_is_the_catalogue() -> None:
    assert PAGE.read_text("utf-8") == problems_markdown()


def test_the_page_has_a_row_for_every_code() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", problems_markdown(), re.MULTILINE)

    assert sorted(rows) == sorted(CATALOGUE)
