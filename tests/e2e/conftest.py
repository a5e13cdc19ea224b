"""A whole Bayerboard for the tests of this folder, and a real browser."""

from __future__ import annotations

import os
import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.challenge import PhaseData, smooth_references, write_challenge
from tests.e2e.running import add_logs, running
from tests.patience import PATIENCE_S
from tests.services.outside import outside

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.e2e.running import Bayerboard

CHALLENGE = "tryout"
# SQLite and a broker on a socket, all by itself; PostgreSQL and a broker on TCP, named by URL.
EMBEDDED, OUTSIDE = "embedded", "postgres and redis"
LONG = 240  # images: long enough to be disturbed in between
LARGE = 60  # images: an upload of four parts, where they are not compressed
NO_CHROMIUM = (
    "The browser tests need Chromium: install it (Debian: apt-get install chromium), "
    "or name one in the environment: CHROMIUM=/path/to/chromium."
)


@dataclass(frozen=True)
class Phases:
    """The phases of the challenge that the tests send to."""

    # Its references are public, and so are its per-image scores.
    development: PhaseData
    # Hidden references; five submissions a day.
    test: PhaseData
    # Many images.
    long: PhaseData
    large: PhaseData
    closed: PhaseData
    p20: PhaseData
    # Its board belongs to one test.
    duel: PhaseData

    def all(self) -> list[PhaseData]:
        return [self.development, self.test, self.long, self.large, self.closed, self.p20, self.duel]


@pytest.fixture(scope="session")
def phases() -> Phases:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d %H:%M}"
    return Phases(
        development=PhaseData(
            "s7", "development", smooth_references("s7", ["6_2", "6_0", "6_10"]), {"image_results": "published"}
        ),
        test=PhaseData("s7", "test", smooth_references("s7", ["7_0", "7_2"], seed=1), {"quota_per_day": 5}),
        long=PhaseData("s7", "long", smooth_references("s7", [f"8_{tile}" for tile in range(LONG)], seed=2)),
        large=PhaseData("s7", "large", smooth_references("s7", [f"14_{tile}" for tile in range(LARGE)], seed=6)),
        closed=PhaseData("s7", "closed", smooth_references("s7", ["9_0"], seed=3), {"ends_at": yesterday}),
        p20=PhaseData("p20", "development", smooth_references("p20", ["12_0", "12_2"], seed=4)),
        duel=PhaseData("p20", "duel", smooth_references("p20", ["13_0", "13_2"], seed=5)),
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let every test of the Bayerboard below meet both kinds, or the one it names; a browser sees no difference."""
    chosen = any("installation" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "installation" in metafunc.fixturenames and not chosen:
        in_browser = metafunc.definition.get_closest_marker("browser")
        kinds = [EMBEDDED] if in_browser else [EMBEDDED, OUTSIDE]
        metafunc.parametrize("installation", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def installation(request: pytest.FixtureRequest) -> str:
    """Which Bayerboard it is to be."""
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="session")
def bayerboard(installation: str, tmp_path_factory: pytest.TempPathFactory, phases: Phases) -> Iterator[Bayerboard]:
    """Give a running Bayerboard with a challenge; every test brings people of its own."""
    folder = tmp_path_factory.mktemp("bayerboard")
    with (
        outside(folder) if installation == OUTSIDE else nullcontext() as servers,
        running(folder / "data", outside=servers) as one,
    ):
        created = one.manage("create_challenge", str(write_challenge(folder, CHALLENGE, phases.all())))
        assert created.returncode == 0, created.stderr
        yield one


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of what ran to the report of a test that failed."""
    report = yield
    add_logs(item, report)
    return report


# --- The browser ------------------------------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the browser's tests come last: Playwright keeps an event loop here, and beside one Django forbids queries."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the system's Chromium, quietly."""
    chromium = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if chromium is None:
        pytest.fail(NO_CHROMIUM, pytrace=False)
    arguments = ["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's own does not work for root
    options = {"executable_path": chromium, "args": arguments, "timeout": 1000 * PATIENCE_S}
    return {**browser_type_launch_args, **options}


@pytest.fixture(scope="session")
def base_url(bayerboard: Bayerboard) -> str:
    """Let tests name pages by their path."""
    return bayerboard.url
