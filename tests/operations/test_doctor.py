"""`manage.py doctor`: what it sees, and what it says to do."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import namedtuple
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from bayerboard.challenges.models import Track
from bayerboard.mails.models import Mail
from bayerboard.operations.doctor import broker, database, mails, settings, storage, tracks
from bayerboard.operations.doctor.finding import Area, Level
from bayerboard.operations.models import BEAT, Heartbeat
from scoring.protocol import load_protocol
from tests.factories import make_challenge
from tests.operations.broker import running_broker, use_broker
from tests.s3_server import S3Server, objects_in
from workers.control import gpus, machine_facts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_django import Settings

    from bayerboard.operations.doctor.finding import Finding

OK, WARNING, PROBLEM = Level.OK, Level.WARNING, Level.PROBLEM
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_broker(monkeypatch, tmp_path / "no-socket")


@pytest.fixture(autouse=True)
def _storage(settings: Settings) -> None:
    settings.STORAGE_DIR.mkdir()


def levels(findings: Iterable[Finding]) -> dict[str, Level]:
    found = list(findings)
    # Whatever is not well has an advice, and only that.
    assert all(bool(one.advice) == (one.level is not OK) for one in found)
    return {one.what: one.level for one in found}


def production(to: Settings) -> None:
    to.EMBEDDED, to.HTTPS, to.EMAIL_HOST = False, True, "mail.example.org"
    to.ALLOWED_HOSTS, to.CSRF_TRUSTED_ORIGINS = ["challenge.example.org"], ["https://challenge.example.org"]
    to.SECRET_KEY = "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abc"
    to.LEASE_S, to.RECOVER_EVERY_S = 120, 15


def test_a_careful_production_is_well(settings: Settings) -> None:
    production(settings)
    assert set(levels(look_at_settings()).values()) == {OK}


@pytest.mark.parametrize(
    ("name", "value", "what", "level"),
    [
        ("DEBUG", True, "debugging", PROBLEM),
        ("ALLOWED_HOSTS", ["*"], "hosts", PROBLEM),
        ("SECRET_KEY", "short", "secret", PROBLEM),
        ("SECRET_KEY", "a" * 60, "secret", PROBLEM),
        ("HTTPS", False, "https", PROBLEM),
        ("CSRF_TRUSTED_ORIGINS", [], "https", WARNING),
        ("EMAIL_HOST", "", "mail", WARNING),
        ("LEASE_S", 20, "lease", WARNING),
    ],
)
def test_an_unwise_setting_is_named(settings: Settings, name: str, value: Any, what: str, level: Level) -> None:
    production(settings)
    setattr(settings, name, value)
    assert {one: found for one, found in levels(look_at_settings()).items() if found is not OK} == {what: level}


def test_a_laptop_needs_neither_https_nor_mail(settings: Settings) -> None:
    production(settings)
    settings.EMBEDDED, settings.HTTPS, settings.EMAIL_HOST = True, False, ""
    assert set(levels(look_at_settings()).values()) == {OK}


def look_at_settings() -> list[Finding]:
    return list(settings.look())


@pytest.mark.django_db
def test_tracks_from_before_declared_values_were_marked_are_named() -> None:
    assert levels(tracks.look()) == {"declared values": OK}
    data = load_protocol("mai22-learned-isp").to_json()
    columns = [{key: value for key, value in row.items() if key != "declared_operands"} for row in data["columns"]]
    challenge = make_challenge("old")
    Track.objects.create(challenge=challenge, slug="isp", title="ISP", protocol_data={**data, "columns": columns})

    (finding,) = tracks.look()

    assert finding.level is WARNING
    assert "old/isp" in finding.says


@pytest.mark.django_db
def test_mails_that_wait_or_failed_are_named(settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    assert levels(mails.look()) == {"waiting": OK, "failed": OK}
    for state in ("pending", "failed"):
        Mail.objects.create(
            kind="notice", priority=50, address="a@example.org", state=state, created_at=timezone.now() - mails.PATIENCE
        )

    assert levels(mails.look()) == {"waiting": WARNING, "failed": WARNING}


def test_a_site_without_mail_is_not_asked_for_any(settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    assert list(mails.look()) == []


# --- Database -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_without_a_round_of_beat_it_says_so() -> None:
    assert levels(database.look())["beat"] is PROBLEM


@pytest.mark.django_db
def test_with_a_round_just_made_the_database_is_well() -> None:
    Heartbeat.beat(BEAT)
    found = levels(database.look())
    assert (found["server"], found["migrations"], found["clock of this machine"], found["beat"]) == (OK, OK, OK, OK)


@pytest.mark.django_db
def test_a_beat_that_stopped_is_noticed() -> None:
    Heartbeat.objects.create(name=BEAT, seen_at=timezone.now() - timedelta(hours=1))
    assert levels(database.look())["beat"] is PROBLEM


@pytest.mark.django_db
def test_a_missing_migration_ends_the_look() -> None:
    MigrationRecorder(connection).record_unapplied("evaluations", "0001_initial")
    assert levels(database.look()) == {"server": OK, "migrations": PROBLEM}


@pytest.mark.parametrize(("ahead_s", "level"), [(0.5, OK), (-5, WARNING), (5, WARNING), (-60, PROBLEM), (60, PROBLEM)])
def test_a_clock_that_is_wrong_is_judged_by_how_much(ahead_s: float, level: Level) -> None:
    finding = database.skew(Area("any"), "clock", ahead_s, "the database's")
    assert finding.level is level
    assert level is OK or ("ahead of" in finding.says) == (ahead_s > 0)


# --- Broker and workers -------------------------------------------------------------------------------------------


def test_without_a_broker_it_says_that_nothing_is_lost() -> None:
    (finding,) = broker.look()
    assert finding.level is PROBLEM
    assert "waits in the database" in finding.advice


@pytest.mark.processes
@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, (OK, OK)), ({"appendonly": "no", "maxmemory_policy": "allkeys-lru"}, (WARNING, PROBLEM))],
)
def test_a_brokers_options_are_judged_and_queues_without_a_worker_named(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], expected: tuple[Level, Level]
) -> None:
    monkeypatch.setattr(broker, "ANSWER_WITHIN_S", 0.2)
    with running_broker(**options) as socket:
        use_broker(monkeypatch, socket)
        found = levels(broker.look())

    assert (found["append-only file"], found["memory"]) == expected
    assert found["queue score"] is PROBLEM
    assert found["queue baseline"] is WARNING


def test_a_worker_tells_its_clock_and_its_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    facts = machine_facts(None)

    assert facts["gpus"] == ["NVIDIA H100"]
    assert facts["time"] <= time.time()


def test_without_a_driver_there_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus() == []


@pytest.mark.parametrize(
    ("torch", "names", "level", "says"),
    [("", [], WARNING, "not installed"), ("2.13", [], OK, "no GPU"), ("2.13", ["NVIDIA H100"], OK, "on NVIDIA H100")],
)
def test_a_baseline_worker_is_judged_by_its_torch(torch: str, names: list[str], level: Level, says: str) -> None:
    facts = {"ahead_s": 0.0, "torch": torch, "gpus": names}
    _, finding = broker._machine("baseline@here", facts)
    assert finding.level is level
    assert says in finding.says


# --- Storage ------------------------------------------------------------------------------------------------------


def test_an_object_goes_there_and_back_and_nothing_remains(settings: Settings) -> None:
    found = levels(storage.look())
    assert (found["write and read"], found["signed upload"]) == (OK, OK)
    assert [path for path in settings.STORAGE_DIR.rglob("*") if path.is_file()] == []


def test_a_storage_that_cannot_be_written_is_a_problem(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.touch()
    settings.STORAGE_DIR = file / "objects"
    settings.UPLOAD_DIR = tmp_path
    assert next(iter(storage.look())).level is PROBLEM


@pytest.mark.parametrize(("free", "level"), [(2**40, OK), (5 * 2**30, WARNING), (2**29, PROBLEM)])
def test_a_disk_that_fills_up_is_noticed(monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Usage(2**41, 0, free))
    assert levels(storage.look())["room for data"] is level


# --- The command --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_table_says_what_to_do_and_the_exit_status_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")

    output = capsys.readouterr().out
    assert ended.value.code == 1
    assert "✗ problem  database  beat" in output
    assert "  database, beat: Start beat" in output


@pytest.mark.django_db
def test_the_same_for_a_program_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("doctor", "--json")

    findings = json.loads(capsys.readouterr().out)
    assert {one["area"] for one in findings} == {"settings", "database", "broker", "storage", "tracks"}
    assert {"area", "what", "level", "says", "advice"} == set(findings[0])


@pytest.mark.processes
def test_a_part_goes_to_a_signed_address_of_a_real_bucket(settings: Settings, tmp_path: Path) -> None:
    with S3Server(tmp_path / "s3") as server:
        settings.S3 = server.make_bucket()
        found = {one.what: one for one in storage.look()}
        assert objects_in(settings.S3) == {}

    assert found["signed upload"].says == "a part went to a signed address"
    assert found["write and read"].level is OK


@pytest.mark.processes
def test_a_wrong_key_of_a_bucket_is_a_problem(settings: Settings, tmp_path: Path) -> None:
    with S3Server(tmp_path / "s3") as server:
        settings.S3 = dataclasses.replace(server.make_bucket(), secret_access_key="another")
        assert next(iter(storage.look())).level is PROBLEM
