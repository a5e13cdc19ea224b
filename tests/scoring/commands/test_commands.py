"""Properties of all commands: help, progress, tables, interruption."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import scoring.commands
from scoring import __version__
from scoring.cli import main
from scoring.commands import COMMANDS, check
from scoring.commands.progress import progress
from scoring.commands.score import score_table
from scoring.commands.table import format_table
from scoring.problems import CATALOGUE
from scoring.protocol import load_protocol
from scoring.report import ImageScore, ScoreReport

HELPERS = {"__init__", "common", "progress", "table"}


def test_every_file_is_a_command_or_helps_them() -> None:
    files = {path.stem for path in Path(scoring.commands.__path__[0]).glob("*.py")}

    assert files == set(COMMANDS) | HELPERS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_reads_like_a_manual_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    assert ended.value.code == 0
    text = capsys.readouterr().out
    command = importlib.import_module(f"scoring.commands.{name}")
    assert command.DESCRIPTION in text
    assert f"examples:\n  python -m scoring {name}" in text
    assert "exit status:\n  0" in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    text = capsys.readouterr().out
    assert all(name in text and summary in text for name, summary in COMMANDS.items())


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"Bayerboard {__version__}\n"


def test_a_command_loads_no_other() -> None:
    """Scoring must not wait for modules that only rendering or comparing needs."""
    code = "import sys, scoring.cli as c; c.main(['problems']); print(*sys.modules, file=sys.stderr)"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    loaded = {name for name in ended.stderr.split() if name.startswith("scoring.")}
    assert "scoring.commands.problems" in loaded
    assert not {"scoring.render", "scoring.compare", "scoring.statistics", "scoring.commands.score"} & loaded


def test_an_interruption_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupt)

    assert main(["check", "--protocol", "p", "--manifest", "m", "--submission", "s"]) == 130
    assert capsys.readouterr().err == "python -m scoring: interrupted\n"


def test_the_problems_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problems", "--json", "-"]) == 0

    problems = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in problems] == list(CATALOGUE)
    assert list(problems[0]) == ["code", "level", "what", "to_do"]


# --- Progress -------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_sees_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("mine.zip") as on_progress:
        assert on_progress is None

    assert capsys.readouterr().err == ""


def test_a_terminal_sees_progress_and_is_left_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, clock = Terminal(), iter([100.0, 101.0, 101.01, 102.0])
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))

    with progress("mine.zip") as on_progress:
        assert on_progress is not None
        for done in (1, 2, 4):
            on_progress(done, 4)

    shown = terminal.getvalue().split("\r\033[K")
    assert shown[1:] == [
        "mine.zip  [#######.....................]  1/4  3 s left",
        # 2/4 came too soon after it.
        "mine.zip  [############################]  4/4  0 s left",
        "",
    ]


def test_the_last_step_is_shown_however_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, clock = Terminal(), iter([100.0, 101.0, 101.01])
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))

    with progress("x") as on_progress:
        assert on_progress is not None
        on_progress(1, 2)
        on_progress(2, 2)

    assert "2/2" in terminal.getvalue()


# --- Tables ---------------------------------------------------------------------------------------------------------


def test_a_table_by_hand() -> None:
    assert format_table(["image", "PSNR"], [["6_0", "31.86"], ["mean", "5.1"]], rule_before=[1]).splitlines() == [
        "image   PSNR",
        "─────  ─────",
        "6_0    31.86",
        "─────  ─────",
        "mean     5.1",
    ]


def scored(count: int) -> ScoreReport:
    images = tuple(ImageScore(f"0_{at}", {"psnr": 30.0 + at * 7 % count, "ssim": 0.5}) for at in range(count))
    return ScoreReport("aim22-s7", {"psnr": 31.0, "ssim": 0.5}, images, None, ())


def test_few_images_are_all_shown() -> None:
    assert len(score_table(scored(24), load_protocol("aim22-s7")).splitlines()) == 2 + 24 + 2


def test_of_many_images_the_extremes_are_shown() -> None:
    lines = score_table(scored(50), load_protocol("aim22-s7")).splitlines()

    shown = [line.split() for line in lines]
    assert [row[1] for row in shown[2:7]] == ["30.00", "31.00", "32.00", "33.00", "34.00"]
    assert lines[7] == "… 40 more"
    assert [row[1] for row in shown[8:13]] == ["75.00", "76.00", "77.00", "78.00", "79.00"]
    assert shown[-1] == ["mean", "31.00", "0.5000"]


def test_all_images_are_shown_on_request() -> None:
    assert len(score_table(scored(50), load_protocol("aim22-s7"), show_all=True).splitlines()) == 2 + 50 + 2
