"""What a failed check on a running Bayerboard leaves to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.running import add_logs

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of what ran to the report of a test that failed."""
    report = yield
    add_logs(item, report)
    return report
