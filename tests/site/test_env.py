"""Settings that fail loudly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayerboard.lib import env
from bayerboard.lib.env import SettingError

NAME = "BAYERBOARD_TEST"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)


@pytest.mark.parametrize("blank", ["", "   "])
def test_blank_is_not_set(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    monkeypatch.setenv(NAME, blank)

    assert env.text(NAME, "default") == "default"
    assert env.integer(NAME, 7) == 7
    assert env.boolean(NAME, default=True) is True
    assert env.words(NAME, ["a"]) == ["a"]
    assert env.path(NAME, Path("/srv")) == Path("/srv")
    assert env.postgres(NAME) is None


def test_a_text_without_default_is_required() -> None:
    with pytest.raises(SettingError, match=f"{NAME} is not set"):
        env.text(NAME)


@pytest.mark.parametrize(("raw", "number"), [("5", 5), (" 12 ", 12), ("0", 0)])
def test_whole_numbers(monkeypatch: pytest.MonkeyPatch, raw: str, number: int) -> None:
    monkeypatch.setenv(NAME, raw)

    assert env.integer(NAME, 7) == number


@pytest.mark.parametrize(
    ("raw", "words"),
    [("five", "must be a whole number, not 'five'"), ("1.5", "whole number"), ("2", "must be at least 5, not 2")],
)
def test_what_is_no_whole_number(monkeypatch: pytest.MonkeyPatch, raw: str, words: str) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(SettingError, match=words):
        env.integer(NAME, 7, minimum=5)


@pytest.mark.parametrize(
    ("raw", "truth"), [("1", True), ("TRUE", True), ("yes", True), ("on", True), ("0", False), ("Off", False)]
)
def test_yes_and_no(monkeypatch: pytest.MonkeyPatch, raw: str, truth: bool) -> None:
    monkeypatch.setenv(NAME, raw)

    assert env.boolean(NAME, default=not truth) is truth


def test_neither_yes_nor_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "maybe")

    with pytest.raises(SettingError, match="not 'maybe'"):
        env.boolean(NAME, default=True)


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " a.example, b.example ,,")

    assert env.words(NAME, []) == ["a.example", "b.example"]


def test_paths_are_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(NAME, "data")

    assert env.path(NAME, Path("/srv")) == tmp_path / "data"


def test_a_database_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "postgresql://ada:s%40cret@db.example:5433/bayer%20board")

    database = env.postgres(NAME)

    assert database is not None
    assert {key: database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "bayer board",
        "USER": "ada",
        "PASSWORD": "s@cret",
        "HOST": "db.example",
        "PORT": "5433",
    }


@pytest.mark.parametrize(
    "raw",
    [
        "mysql://ada:secret@db/x",
        "postgresql://ada:secret@db",
        "secret",
        "postgresql://ada:secret@db:port/x",
        "postgresql://ada:secret/more@db/x",
        "postgresql://ada:secret@[db/x",
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(SettingError, match="must look like") as error:
        env.postgres(NAME)

    assert "secret" not in str(error.value)


def test_a_database_address_with_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "postgresql://ada:secret@db/x?sslmode=require")

    database = env.postgres(NAME)

    assert database is not None
    assert database["OPTIONS"] == {"server_side_binding": True, "prepare_threshold": 5, "sslmode": "require"}


@pytest.mark.parametrize(("raw", "threshold"), [("none", None), ("0", 0), ("20", 20)])
def test_when_statements_are_prepared(monkeypatch: pytest.MonkeyPatch, raw: str, threshold: int | None) -> None:
    monkeypatch.setenv(NAME, f"postgresql://ada:secret@db/x?prepare_threshold={raw}")

    database = env.postgres(NAME)

    assert database is not None
    assert database["OPTIONS"] == {"server_side_binding": True, "prepare_threshold": threshold}


@pytest.mark.parametrize("raw", ["", "None", "-1", "1.5", "²"])
def test_a_threshold_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv(NAME, f"postgresql://ada:secret@db/x?prepare_threshold={raw}")

    with pytest.raises(SettingError, match="prepare_threshold must be a number of executions, or none") as error:
        env.postgres(NAME)

    assert "secret" not in str(error.value)
