"""`make lint types` and pre-commit run the same tools, each in one version."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_house import ROOT, locked

FRONTEND = ROOT / "frontend"
BIOME = "tools/biome.sh"
# What the script calls besides npm.
PROGRAMS = ("bash", "dirname", "env", "sed")


def hooks() -> list[list[str]]:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    return [shlex.split(hook["entry"]) for repo in config["repos"] for hook in repo["hooks"]]


def recipe(target: str) -> str:
    return subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def tools_of(text: str) -> set[str]:
    return set(re.findall(rf"\.venv/bin/\w+|{BIOME}", text))


def package(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FRONTEND / name).read_text())
    return found


def test_make_checks_python_templates_scripts_and_style_sheets() -> None:
    assert tools_of(recipe("lint")) == {".venv/bin/ruff", ".venv/bin/djade", BIOME}
    assert tools_of(recipe("types")) == {".venv/bin/mypy"}


def test_pre_commit_runs_the_tools_of_make() -> None:
    assert {words[0] for words in hooks()} == tools_of(recipe("lint") + recipe("types"))


def test_each_python_tool_has_one_version_in_the_dev_lock() -> None:
    names = {Path(tool).name for tool in tools_of(recipe("lint") + recipe("types")) - {BIOME}}
    assert {name: len(locked("dev").get(name, ())) for name in names} == dict.fromkeys(names, 1)


def test_biome_has_one_version_in_the_lock_of_npm() -> None:
    asked = package("package.json")["devDependencies"]["@biomejs/biome"]
    packages = package("package-lock.json")["packages"]
    versions = {one["version"] for name, one in packages.items() if name.startswith("node_modules/@biomejs/")}
    assert versions == {asked}
    assert re.fullmatch(r"[0-9.]+", asked)


def test_templates_have_the_format_of_the_django_that_shows_them() -> None:
    (django,) = locked("main")["django"]
    commands = [recipe("lint"), recipe("format"), *map(shlex.join, hooks())]
    versions = re.findall(r"djade .*--target-version (\S+)", "\n".join(commands))
    assert len(versions) == 3
    assert set(versions) == {django.rpartition(".")[0]}


# --- Without Node, or without what npm brings ----------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout of what the script reads, and a PATH of what it calls."""
    for name in (BIOME, "frontend/package.json"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)


def run_biome(checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout / "bin")}
    return subprocess.run([checkout / BIOME], env=environment, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("there", ["node", "npm"])
def test_without_node_or_npm_lint_says_so_and_goes_on(checkout: Path, there: str) -> None:
    program(checkout / "bin" / there, "")
    done = run_biome(checkout)
    missing = {"node": "npm", "npm": "node"}[there]
    assert (done.returncode, done.stdout) == (0, f"JavaScript and CSS were not checked: there is no {missing}.\n")


def test_where_npm_cannot_install_lint_says_why_and_goes_on(checkout: Path) -> None:
    program(checkout / "bin" / "node", "")
    program(checkout / "bin" / "npm", "echo npm error network >&2; exit 1")
    done = run_biome(checkout)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [
        "npm error network",
        "JavaScript and CSS were not checked: npm ci failed, as it says above.",
    ]


def test_what_biome_finds_fails_the_lint(checkout: Path) -> None:
    version = package("package.json")["devDependencies"]["@biomejs/biome"]
    for name in ("node", "npm"):
        program(checkout / "bin" / name, "exit 9")
    biome = f'if [ "$1" = --version ]; then echo "Version: {version}"; else echo "$@"; exit 1; fi'
    program(checkout / "frontend" / "node_modules" / ".bin" / "biome", biome)
    done = run_biome(checkout)
    assert (done.returncode, done.stdout) == (1, "check --error-on-warnings\n")
