"""What supervisors and load balancers ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

import scoring
from tests.operations.broker import running_broker, use_broker

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_broker(monkeypatch, tmp_path / "no-socket")


@pytest.fixture
def _storage(settings: Settings) -> None:
    settings.STORAGE_DIR.mkdir()


def ready(expected_status: int = 200) -> dict[str, Any]:
    response = Client().get("/ready/")
    assert response.status_code == expected_status
    body: dict[str, Any] = response.json()
    assert body["version"] == scoring.__version__
    return body


def test_a_process_that_serves_is_alive_whatever_else_is_down() -> None:
    # This test may not use the database: nor does the view.
    assert Client().get("/health/").json() == {"status": "ok", "version": scoring.__version__}


@pytest.mark.parametrize("address", ["/health/", "/ready/", "/metrics"])
def test_takes_no_post(address: str) -> None:
    assert Client().post(address).status_code == 405


@pytest.mark.django_db
@pytest.mark.processes
@pytest.mark.usefixtures("_storage")
def test_with_everything_there_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_broker() as socket:
        use_broker(monkeypatch, socket)
        body = ready()

    assert body["status"] == "ready"
    assert body["checks"] == {name: {"status": "ok"} for name in ("database", "migrations", "storage", "broker")}


@pytest.mark.django_db
@pytest.mark.usefixtures("_storage")
def test_without_a_broker_it_is_ready_all_the_same() -> None:
    body = ready()

    assert body["status"] == "degraded"
    assert body["checks"]["broker"]["code"] == "broker-down"


@pytest.mark.django_db
def test_without_its_storage_it_is_not_ready(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "not-mounted"

    body = ready(503)

    assert body["status"] == "not-ready"
    assert body["checks"]["storage"]["code"] == "storage-down"


@pytest.mark.django_db
@pytest.mark.usefixtures("_storage")
def test_before_the_migrations_it_is_not_ready() -> None:
    MigrationRecorder(connection).record_unapplied("evaluations", "0001_initial")

    assert ready(503)["checks"]["migrations"]["code"] == "migrations-missing"


@pytest.mark.django_db
@pytest.mark.usefixtures("_storage")
def test_without_its_database_it_is_not_ready_and_says_nothing_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("password authentication failed for user bayerboard")

    monkeypatch.setattr(connection, "cursor", refuse)
    body = ready(503)

    assert body["checks"]["database"]["code"] == "database-down"
    assert "migrations" not in body["checks"]
    assert "password" not in str(body)
