"""Which tests pytest-xdist keeps together, those that share a running Bayerboard, and which it begins with.

Its own `--dist loadgroup` has no effect with pytest 9.2, which no longer reads the name that xdist gives a test.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

WITH_SERVERS = ("tests/e2e/", "tests/operations/test_backup.py")
# Files whose tests share something slow to make: a migrated site of the version before, a starter kit for each track.
SHARED = ("tests/site/test_upgrade.py", "tests/baselines/test_starter_kit.py")
# It brings its own, and takes longest.
ALONE = "test_the_demo_fills_its_boards"
INSTALLATION = re.compile(r"\[(embedded|postgres and redis)\b")
# What takes longest, longest first: begun last, it would keep one process busy while the others have nothing to do.
LONG = (
    ALONE,
    "tests/e2e/",
    "tests/chaos/test_storm.py",
    "tests/baselines/test_starter_kit.py",
    "tests/operations/test_backup.py",
    "tests/chaos/test_machines.py",
    "tests/operations/test_up.py",
    "tests/baselines/test_export.py",
    "tests/baselines/test_training.py",
)


def place_of(nodeid: str) -> int:
    """Return where a test stands in the order of what begins first."""
    return next((place for place, name in enumerate(LONG) if name in nodeid), len(LONG))


class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """Sends tests that share a Bayerboard, or something else slow to make, to one process, and all others to any."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        if path in SHARED:
            return path
        if not path.startswith(WITH_SERVERS) or test.startswith(ALONE):
            return nodeid
        found = INSTALLATION.search(test)
        return found[1] if found else path
