"""What every test gets: its own storage, and no broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import caches

from tests.factories import Cast, make_cast
from tests.grouping import Together, place_of
from tests.patience import TEST_S, TEST_WITH_PROCESSES_S
from tests.s3_server import S3Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings
    from xdist.remote import Producer

    from bayerboard.lib.storage.s3_address import S3Address


BELOW_THE_SITE = ("tests/scoring/", "tests/baselines/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """Let tests that share a running Bayerboard go to one process."""
    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, and let nothing hang for ever."""
    items.sort(key=lambda item: place_of(item.nodeid))
    for item in items:
        has_processes = item.get_closest_marker("processes") or item.get_closest_marker("browser")
        item.add_marker(pytest.mark.timeout(TEST_WITH_PROCESSES_S if has_processes else TEST_S))


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk: it took a third of the time, and what a test stores need not survive a power cut."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture(autouse=True)
def _apart(request: pytest.FixtureRequest) -> None:
    """Keep the tests of the site apart from each other; the packages below it know nothing of what they share."""
    if not request.node.nodeid.startswith(BELOW_THE_SITE):
        for name in ("own_settings", "empty_caches", "published"):
            request.getfixturevalue(name)


@pytest.fixture
def own_settings(settings: Settings, tmp_path: Path) -> None:
    """Give a test a storage of its own, and set what makes no difference but to the time that it takes."""
    settings.S3 = None
    settings.STORAGE_DIR = tmp_path / "objects"
    settings.UPLOAD_DIR = settings.STORAGE_DIR / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR = str(settings.UPLOAD_DIR)
    settings.REFERENCE_CACHE_DIR = tmp_path / "cache"
    # The bound is a worker's child's, and this process holds every library of every test.
    settings.WORKER_MEMORY_MB = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each test's client builds the middleware anew, and listing every static file took a tenth of the time.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def empty_caches(settings: Settings) -> None:
    """Let no test see what another left: above all the rate limits, since every test comes from the same address."""
    for name in settings.CACHES:
        caches[name].clear()


@pytest.fixture
def published(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Collect (name, arguments) of the published tasks; nothing reaches a broker that happens to run here."""
    sent: list[tuple[str, dict[str, Any]]] = []
    if "processes" not in request.keywords and "browser" not in request.keywords:

        def send_task(name: str, kwargs: dict[str, Any], **options: Any) -> None:
            sent.append((name, kwargs))

        monkeypatch.setattr("bayerboard.lib.tasks.app.send_task", send_task)
    return sent


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Start a real S3 server for all tests of this process; each takes a bucket of its own."""
    with S3Server(tmp_path_factory.mktemp("s3") / "data") as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server, settings: Settings) -> S3Address:
    """Let the site keep its objects in a new bucket."""
    address = s3_server.make_bucket()
    settings.S3 = address
    return address


@pytest.fixture
def cast(db: None, tmp_path: Path) -> Cast:
    """Make the people of a challenge with a phase that is open and whose leaderboard is open."""
    return make_cast(tmp_path)
