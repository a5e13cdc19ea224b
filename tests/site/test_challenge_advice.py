"""`manage.py create_challenge --check`: notes on a file that is right, and perhaps not meant so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bayerboard.importing.advice import PROBER_DOCS
from tests.site.test_create_challenge import Organiser

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
HIDDEN_BOARD = "        board: hidden\n"
HIDDEN_SCORES = "        own_scores: hidden\n"
DURING, AFTER = "        board_opens_at: 2099-01-01 00:00\n", "        board_opens_at: 2100-01-02 00:00\n"


@pytest.fixture
def organiser(tmp_path: Path) -> Organiser:
    return Organiser(tmp_path)


def notes(organiser: Organiser) -> list[str]:
    return [line for line in organiser.command("--check").splitlines() if line.startswith("note")]


@pytest.mark.parametrize(
    ("keys", "beginning"),
    [
        ("", "own_scores: shown lets a team recover"),
        (HIDDEN_BOARD, "own_scores: shown lets a team recover"),
        (HIDDEN_SCORES, "board: open shows a team its scores"),
        (HIDDEN_BOARD + HIDDEN_SCORES + DURING, "the board opens before the phase ends"),
    ],
)
def test_scores_that_are_shown_against_a_hidden_reference_are_noted(
    organiser: Organiser, keys: str, beginning: str
) -> None:
    organiser.text += keys
    (note,) = notes(organiser)
    assert note.startswith(f"note       phase s7/dev: {beginning}")
    assert note.endswith(f"{PROBER_DOCS}. [own-scores-shown]")


@pytest.mark.parametrize(
    "keys", [HIDDEN_BOARD + HIDDEN_SCORES, HIDDEN_BOARD + HIDDEN_SCORES + AFTER, "        image_results: published\n"]
)
def test_nothing_is_noted_where_scores_are_hidden_or_the_reference_is_public(organiser: Organiser, keys: str) -> None:
    organiser.text += keys
    assert notes(organiser) == []


def test_an_import_notes_it_too(organiser: Organiser) -> None:
    checked = notes(organiser)
    assert [line for line in organiser.command().splitlines() if line.startswith("note")] == checked != []


def test_the_link_of_the_note_leads_to_a_section() -> None:
    page, _, anchor = PROBER_DOCS.partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]
