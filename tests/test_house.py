"""What stands in several places and must agree: version, locks, commands, the compose file."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import entry_points, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from celery import Celery
from django.core.management import get_commands
from django.utils.module_loading import import_string
from packaging.requirements import Requirement
from packaging.version import Version

import scoring
from bayerboard.lib.jobs import job_kinds
from tests.test_architecture import SOURCES, imports

if TYPE_CHECKING:
    from pytest_django import Settings

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {path.stem: path for path in sorted((ROOT / "requirements").glob("*.txt"))}
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = [*sorted((ROOT / "tools").glob("*.sh")), ROOT / ".ci" / "run"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- The version --------------------------------------------------------------------------------------------------


def test_the_version_stands_in_scoring_alone() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "scoring.__version__"}
    assert version("bayerboard") == scoring.__version__


def test_the_changelog_tells_of_this_version_first() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(heading for heading in headings if heading != "Unreleased") == scoring.__version__


# --- The locks ----------------------------------------------------------------------------------------------------


@cache
def locked(lock: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock; more than one where they depend on Python's version."""
    found: dict[str, set[str]] = {}
    pin = r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;\\]+)"
    for name, pinned in re.findall(pin, LOCKS[lock].read_text(), re.MULTILINE):
        found.setdefault(name.lower().replace("_", "-"), set()).add(pinned)
    return found


def test_there_is_a_lock_to_run_one_to_test_and_one_for_production() -> None:
    assert set(LOCKS) == {"main", "dev", "production"}


def test_no_lock_names_a_host() -> None:
    host = r"\w+://\S*|--(?:extra-)?index-url\S*|--find-links\S*|--trusted-host\S*| @ \S+"
    assert {lock: re.findall(host, path.read_text()) for lock, path in LOCKS.items()} == {lock: [] for lock in LOCKS}


def test_every_package_of_a_lock_has_a_hash() -> None:
    for path in LOCKS.values():
        blocks = re.split(r"^(?=[A-Za-z0-9])", path.read_text(), flags=re.MULTILINE)[1:]
        assert len(blocks) > 20, path
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == [], path


def test_torch_is_in_no_lock() -> None:
    assert [lock for lock in LOCKS if {"torch", "triton", "nvidia-cublas"} & set(locked(lock))] == []


def test_the_locks_agree() -> None:
    for lock in ("dev", "production"):
        of_main = {name: versions for name, versions in locked(lock).items() if name in locked("main")}
        assert of_main == locked("main"), lock


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("main", PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]),
        ("dev", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("production", PROJECT["project"]["optional-dependencies"]["production"]),
    ],
)
def test_a_lock_holds_what_the_project_asks_for(lock: str, requirements: list[str]) -> None:
    """When this fails, `make lock` has been forgotten."""
    for requirement in map(Requirement, requirements):
        versions = locked(lock).get(requirement.name.lower().replace("_", "-"), set())
        assert versions, f"{requirement.name} is missing"
        assert all(Version(one) in requirement.specifier for one in versions), requirement


# What the baselines import where an extra brought it, and say so where none did.
OF_EXTRAS = {"torch", "safetensors", "onnxruntime", "ai_edge_litert", "ai_edge_quantizer", "litert_torch", "matplotlib"}


def test_only_the_baselines_use_what_extras_bring() -> None:
    for package in set(SOURCES) - {"baselines"}:
        for path in SOURCES[package].rglob("*.py"):
            assert not {name.split(".")[0] for _, name in imports(ast.parse(path.read_text()))} & OF_EXTRAS, path


def test_what_the_packages_import_is_in_the_main_lock() -> None:
    """A package that only the tests bring would be missing after `make demo` on a fresh machine."""
    sources = [path for folder in SOURCES.values() for path in folder.rglob("*.py")]
    imported = {name.split(".")[0] for path in sources for _, name in imports(ast.parse(path.read_text()))}
    foreign = imported - sys.stdlib_module_names - set(SOURCES) - OF_EXTRAS
    distributions = {module: packages_distributions().get(module, [module]) for module in foreign}
    missing = {
        module: names
        for module, names in distributions.items()
        if not {name.lower().replace("_", "-") for name in names} & set(locked("main"))
    }
    assert "django" in distributions
    assert missing == {}


# --- Commands and scripts -----------------------------------------------------------------------------------------


@cache
def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_commands_in_the_documents_exist() -> None:
    unknown = {}
    for path in DOCUMENTS:
        pieces = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", path.read_text(), re.DOTALL)
        code = "\n".join(block or line for block, line in pieces)
        targets = set(re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", code)) - make_targets()
        if others := targets | set(re.findall(r"manage\.py ([a-z_]+)", code)) - set(get_commands()):
            unknown[name_of(path)] = others
    assert len(DOCUMENTS) > 5
    assert unknown == {}


def test_the_readme_names_the_two_commands() -> None:
    assert re.search(r"^make demo\b", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert re.search(r"^make test\b", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_a_script_is_bash_and_can_be_run() -> None:
    assert SCRIPTS
    assert [path for path in SCRIPTS if not path.read_text().startswith("#!/usr/bin/env bash\n")] == []
    assert [path for path in SCRIPTS if not os.access(path, os.X_OK)] == []
    assert [path for path in SCRIPTS if subprocess.run(["bash", "-n", path], check=False).returncode] == []


def test_no_file_of_the_project_is_larger_than_a_megabyte() -> None:
    # By folder and not by git, so that it holds in an unpacked archive too.
    folders = ("baselines", "benchmarks", "docs", "platform", "requirements", "scoring", "tests", "tools", "workers")
    files = [*ROOT.glob("*"), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    assert ROOT / "manage.py" in files
    assert [name_of(path) for path in files if path.is_file() and path.stat().st_size > most_bytes(path)] == []


def most_bytes(path: Path) -> int:
    """Let trained weights be as large as a method needs, within what still downloads at once."""
    return 8_000_000 if path.suffix == ".safetensors" else 2**20


# --- Production ---------------------------------------------------------------------------------------------------

COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("bayerboard")}


def commands(service: dict[str, Any]) -> list[list[str]]:
    """Return the command lines that a service runs one after the other."""
    words = shlex.split(service["command"])
    lines = words[2].split("&&") if words[:2] == ["sh", "-c"] else [shlex.join(words)]
    return [shlex.split(line) for line in lines]


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def test_compose_has_our_services_a_preparation_and_what_they_stand_on() -> None:
    assert set(OURS) == {"prepare", "web", "worker", "gpu-worker", "beat"}
    assert set(SERVICES) - set(OURS) == {"postgres", "valkey", "s3", "proxy"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_something_that_is_installed(name: str, settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path  # which `prepare` fills before the site is loaded
    scripts = {script.name for script in entry_points(group="console_scripts")}
    for words in commands(OURS[name]):
        assert words[0] in scripts
        if words[0] == "gunicorn":
            assert callable(import_string(words[1].replace(":", ".")))
        elif words[0] == "celery":
            assert isinstance(import_string(option(words, "--app").replace(":", ".")), Celery)
            assert words[3] in {"worker", "beat"}
        else:
            assert words[0] == "django-admin"
            assert words[1] in get_commands()


def test_the_workers_take_every_queue_that_a_task_is_sent_to() -> None:
    lines = [words for name in ("worker", "gpu-worker") for words in commands(SERVICES[name])]
    app = import_string(option(lines[0], "--app").replace(":", "."))
    queues = {kind.queue for kind in job_kinds()} | {app.conf.task_default_queue}
    assert {queue for words in lines for queue in option(words, "--queues").split(",")} == queues


@pytest.mark.parametrize("name", ["web", "worker", "gpu-worker", "postgres", "valkey", "s3", "proxy"])
def test_a_service_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", ["web", "worker", "gpu-worker", "beat"])
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    assert {service: need["condition"] for service, need in SERVICES[name]["depends_on"].items()} == {
        "postgres": "service_healthy",
        "valkey": "service_healthy",
        "s3": "service_healthy",
        "prepare": "service_completed_successfully",
    }


def test_every_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {name for name in used if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert all((ROOT / name).exists() for name in used if name.startswith("."))


def test_compose_holds_no_secret_and_fails_where_one_is_missing() -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|TOKEN", variable):
                assert re.fullmatch(r"\$\{\w+(:\?[^}]+|:-)\}", value), variable
            # user:password@host, with a password that is not a variable
            assert not re.search(r"//[^/@:]*:(?!\$\{)[^/@]+@", value), variable
    assert OURS["web"]["environment"]["SECRET_KEY"].startswith("${SECRET_KEY:?")


def test_the_example_environment_names_every_variable_and_no_secret() -> None:
    pairs = dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert set(pairs) == set(re.findall(r"\$\{([A-Z0-9_]+)[:}]", COMPOSE_TEXT))
    assert [name for name, value in pairs.items() if value and name != "EMAIL_PORT"] == []


def test_the_image_runs_as_nobody_special_and_takes_the_production_lock() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root)\w+$", text, re.MULTILINE)
    assert "pip install --require-hashes --no-deps -r requirements/production.txt" in text


def test_every_file_that_the_image_copies_reaches_the_builder() -> None:
    sent = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    lines = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    copied = {word for line in lines for word in line.split()[:-1]}
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)
