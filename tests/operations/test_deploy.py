"""What deploys Bayerboard: every command in it is one that the tests run, and every key one that is known."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from bayerboard.operations.stack import beat, web, worker

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))

# What the stack starts, which tests/operations/test_up.py and tests/e2e run.
STACK = {
    "web": web("127.0.0.1:8000", 2, 8),
    "worker": worker("score", "score,default", 2),
    "gpu-worker": worker("baseline", "baseline", 1),
    "beat": beat(),
}
# Options that a place may set as it likes: they say how much, or where, and not what.
FREE = {"--bind", "--workers", "--threads", "--concurrency"}
# Options that a place may add.
EXTRA = {"--worker-tmp-dir", "--schedule"}


def options(words: list[str]) -> dict[str, str]:
    """Return a command line as its options, those with no value with an empty one; what is not an option by place."""
    found: dict[str, str] = {}
    name = ""
    for place, word in enumerate(words):
        if word.startswith("--"):
            name = word
            found[name] = ""
        elif name and not found[name]:
            found[name] = word
            name = ""
        else:
            found[str(place)] = word
    return found


def shape(words: list[str]) -> dict[str, str]:
    """Return what must be the same everywhere."""
    kept = {name: value for name, value in options(words).items() if name not in FREE | EXTRA}
    kept["0"] = Path(kept["0"]).name
    # Places shift where an option stands before them.
    return {name if name.startswith("--") or name == "0" else f"word {value}": value for name, value in kept.items()}


@pytest.mark.parametrize("name", STACK)
def test_compose_runs_what_the_stack_runs(name: str) -> None:
    command = shlex.split(COMPOSE["services"][name]["command"])
    assert shape(command) == shape(STACK[name])


UNIT_OF = {"web": "web", "worker": "worker", "gpu-worker": "baseline", "beat": "beat"}


def exec_start(path: Path) -> list[str]:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path)
    # systemd writes a percent sign twice
    return shlex.split(unit["Service"]["ExecStart"].replace("%%", "%"))


@pytest.mark.parametrize("name", STACK)
def test_systemd_runs_what_the_stack_runs(name: str) -> None:
    path = ROOT / "deploy" / "systemd" / f"bayerboard-{UNIT_OF[name]}.service"
    assert shape(exec_start(path)) == shape(STACK[name])


def test_there_is_a_unit_for_each_program_and_no_other() -> None:
    assert {path.stem for path in UNITS} == {f"bayerboard-{name}" for name in UNIT_OF.values()}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_understands_the_unit(path: Path, tmp_path: Path) -> None:
    """By systemd's own check where it is installed; the programs are those of this environment."""
    text = path.read_text().replace("/opt/bayerboard/bin/", f"{Path(sys.executable).parent}/")
    copy = tmp_path / path.name
    copy.write_text(text)
    program = shutil.which("systemd-analyze")
    if program is None:
        assert re.findall(r"^\[(\w+)\]$", text, re.MULTILINE) == ["Unit", "Service", "Install"]
        return
    done = subprocess.run([program, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    mine = [line for line in done.stderr.splitlines() if path.name in line]
    assert (done.returncode, mine) == (0, [])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_holds_no_secret_and_starts_again(path: Path) -> None:
    text = path.read_text()
    assert "EnvironmentFile=/etc/bayerboard/environment" in text
    assert "Restart=always" in text
    assert not re.search(r"^Environment=.*(SECRET|PASSWORD|TOKEN|URL)", text, re.MULTILINE)


# --- The keys of the compose file, as the compose specification has them --------------------------------------------


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Build(Strict):
    context: str
    target: Literal["web", "gpu-worker"]


class Need(Strict):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class HealthCheck(Strict):
    test: list[str] = Field(min_length=2)
    interval: str = Field(pattern=r"^\d+s$")
    timeout: str = Field(pattern=r"^\d+s$")
    start_period: str = Field(default="0s", pattern=r"^\d+s$")


class Device(Strict):
    driver: Literal["nvidia"]
    count: int
    capabilities: list[str]


class Reservations(Strict):
    devices: list[Device]


class Resources(Strict):
    reservations: Reservations


class Deploy(Strict):
    resources: Resources


class Service(Strict):
    image: str
    build: Build | None = None
    command: str | list[str] = ""
    restart: Literal["no", "unless-stopped"]
    init: bool = False
    read_only: bool = False
    tmpfs: list[str] = []
    cap_drop: list[str] = []
    security_opt: list[str] = []
    profiles: list[str] = []
    ports: list[str] = []
    volumes: list[str] = []
    environment: dict[str, str] = {}
    depends_on: dict[str, Need] = {}
    stop_grace_period: str = Field(default="10s", pattern=r"^\d+s$")
    healthcheck: HealthCheck | None = None
    deploy: Deploy | None = None


class ComposeFile(Strict):
    name: str
    services: dict[str, Service]
    volumes: dict[str, None]
    x_bayerboard: dict[str, Any] = Field(alias="x-bayerboard")
    x_after_preparation: dict[str, Any] = Field(alias="x-after-preparation")


def test_every_key_of_the_compose_file_is_known_and_has_its_type() -> None:
    compose = ComposeFile.model_validate(COMPOSE)
    for name, service in compose.services.items():
        assert set(service.depends_on) <= set(compose.services), name
        for other, need in service.depends_on.items():
            if need.condition == "service_healthy":
                assert compose.services[other].healthcheck, f"{name} waits for the health of {other}"
        if service.healthcheck:
            assert service.healthcheck.test[0] in {"CMD", "CMD-SHELL"}


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in COMPOSE["services"].items() if service.get("ports")] == ["proxy"]


def test_the_gpu_worker_has_a_gpu_an_image_with_torch_and_a_profile() -> None:
    service = Service.model_validate(COMPOSE["services"]["gpu-worker"])
    assert service.profiles == ["gpu"]
    assert service.build is not None
    assert service.build.target == "gpu-worker"
    assert service.deploy is not None
    assert service.deploy.resources.reservations.devices[0].capabilities == ["gpu"]


def test_torch_is_in_the_gpu_workers_image_alone() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages: dict[str, str] = dict(re.findall(r"^FROM \S+ AS (\S+)$(.*?)(?=^FROM |\Z)", text, re.M | re.S))
    assert [name for name, body in stages.items() if "[baselines]" in body] == ["build-gpu"]
    assert "--from=build-gpu" not in stages["web"]
    assert list(stages)[-1] == "web"


def test_the_proxy_passes_both_names_on_and_closes_what_is_for_inside() -> None:
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    names = set(re.findall(r"^\{\$(\w+)\}", text, re.MULTILINE))
    assert names == set(COMPOSE["services"]["proxy"]["environment"])
    targets = set(re.findall(r"reverse_proxy (\w+):(\d+)", text))
    assert targets == {("web", "8000"), ("s3", "7070")}
    assert "/health/ /ready/ /metrics" in text


def test_every_setting_is_in_the_operators_manual() -> None:
    sources = [*(ROOT / "platform" / "bayerboard").glob("settings.py"), *(ROOT / "platform").rglob("s3_address.py")]
    names = {name for path in sources for name in re.findall(r'"([A-Z][A-Z0-9_]+)"', path.read_text())}
    manual = (ROOT / "docs" / "operations.md").read_text()
    settings = {name for name in names if name.startswith(("BAYERBOARD_", "AWS_", "EMAIL_")) or name.endswith("_URL")}
    assert len(settings) > 20
    # Debugging is for whoever works on Bayerboard, and never for an operator.
    assert {name for name in settings if f"`{name}`" not in manual} == {"BAYERBOARD_DEBUG"}
