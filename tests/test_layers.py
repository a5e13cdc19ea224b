"""The apps of the site stand in layers, and import downwards alone: docs/design.md."""

from __future__ import annotations

import ast
import re
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayerboard.teams.origin import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SITE = Path(__file__).resolve().parent.parent / "platform" / "bayerboard"
# From the bottom to the top. Apps of one layer may import each other, as long as there is no circle.
LAYERS = (
    ("lib",),
    ("mails",),
    ("accounts",),
    ("challenges",),
    ("teams",),
    ("evaluations", "uploads"),
    ("submissions",),
    ("leaderboards",),
    ("results", "rescoring", "runs", "notices", "importing"),
    ("pages", "organising", "api"),
    ("operations", "demo"),
)
HEIGHTS = {app: height for height, layer in enumerate(LAYERS) for app in layer}
# They belong to no app: the settings and the Celery application are below all, the addresses above.
APART = {"celery", "settings", "urls", "wsgi"}
# The only modules of an app that answer requests.
VIEW_LAYERS = {"pages", "organising", "api", "operations"}


def imported_apps(source: str) -> set[str]:
    """Return the apps that a module imports, those for type checkers included."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("bayerboard.")} - APART


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the app and the path of each module of the site, migrations apart."""
    for path in sorted(SITE.rglob("*.py")):
        app = path.relative_to(SITE).parts[0].removesuffix(".py")
        if app not in {*APART, "__init__"} and "migrations" not in path.parts:
            yield app, path


def upward_imports(sources: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return `NAME imports APP` for each import that runs upwards, of (app, name, source)."""
    return [
        f"{name} imports {other}"
        for app, name, source in sources
        for other in sorted(imported_apps(source))
        if HEIGHTS[other] > HEIGHTS[app]
    ]


def circles(arrows: dict[str, set[str]]) -> list[str]:
    """Return the apps that reach themselves by imports."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(arrows.get(start, ()))
        while waiting:
            app = waiting.pop()
            if app not in found:
                found.add(app)
                waiting += arrows.get(app, ())
        return found

    return sorted(app for app in arrows if app in reached(app))


def test_every_app_stands_in_a_layer() -> None:
    folders = {path.name for path in SITE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert folders == set(HEIGHTS)


def test_apps_import_downwards_alone() -> None:
    sources = [(app, str(path.relative_to(SITE)), path.read_text()) for app, path in modules()]
    assert len(sources) > 50
    assert upward_imports(sources) == []


def test_no_app_imports_itself_in_a_circle() -> None:
    arrows: dict[str, set[str]] = {app: set() for app in HEIGHTS}
    for app, path in modules():
        arrows[app] |= imported_apps(path.read_text()) - {app}
    assert circles(arrows) == []


@pytest.mark.parametrize(
    "source",
    [
        "from bayerboard.submissions.models import Entry",
        "from bayerboard import submissions",
        "import bayerboard.submissions.models",
        "if TYPE_CHECKING:\n    from bayerboard.submissions.models import Entry",
        "def f():\n    from bayerboard.submissions.models import Entry",
    ],
)
def test_an_import_that_runs_upwards_is_seen(source: str) -> None:
    assert upward_imports([("teams", "teams/x.py", source)]) == ["teams/x.py imports submissions"]
    assert upward_imports([("pages", "pages/x.py", source)]) == []


def test_a_circle_is_seen() -> None:
    assert circles({"pages": {"api"}, "api": {"lib"}, "lib": {"pages"}, "demo": {"lib"}}) == ["api", "lib", "pages"]
    assert circles({"pages": {"api"}, "api": {"lib"}, "lib": set()}) == []


def test_only_the_layers_of_views_answer_requests() -> None:
    answering = [
        str(path.relative_to(SITE))
        for app, path in modules()
        if app not in {*VIEW_LAYERS, "lib"} and "from django.shortcuts import" in path.read_text()
    ]
    assert answering == []


def test_the_design_lists_the_same_layers() -> None:
    text = (SITE.parent.parent / "docs" / "design.md").read_text("utf-8")
    rows = re.findall(r"^\| \d+ \| (.*?) \|", text, re.MULTILINE)
    assert tuple(tuple(re.findall(r"`(\w+)`", row)) for row in rows) == LAYERS


def test_the_design_has_the_table_of_origins() -> None:
    text = (SITE.parent.parent / "docs" / "design.md").read_text("utf-8")
    expected = [
        f"| {origin.value.replace('-', ' ')} | "
        + " | ".join("yes" if value else "no" for value in astuple(rules))
        + " |"
        for origin, rules in RULES.items()
    ]
    assert [line for line in expected if line not in text] == []
