"""tools/loops.sh, which the set-up runs: it compiles when that is due, and says so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# In place of Python: keeps a file as scoring/metrics/native.py does.
COMPILER = """#!/usr/bin/env bash
[[ "$*" == *native* ]] && mkdir -p scoring/metrics/__pycache__ && echo code >scoring/metrics/__pycache__/kernel-0.o
"""


class Checkout:
    """As much of a checkout as the script needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("tools", "scoring/metrics", "requirements", ".venv/bin", "cache"):
            (folder / name).mkdir(parents=True)
        shutil.copy(ROOT / "tools" / "loops.sh", folder / "tools")
        self.source = folder / "scoring" / "metrics" / "kernel.py"
        self.source.write_text("one\n")
        self.lock = folder / "requirements" / "main.txt"
        self.lock.write_text("numba==1\n")
        self.use(COMPILER)

    def use(self, compiler: str) -> None:
        python = self.folder / ".venv" / "bin" / "python"
        python.write_text(compiler)
        python.chmod(0o755)

    def run(self) -> str:
        """Return what the script says."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache")}
        done = subprocess.run(
            [self.folder / "tools" / "loops.sh"], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_loops_are_compiled_once(checkout: Checkout) -> None:
    assert checkout.run().startswith("Compiling scoring's loops")
    assert checkout.run() == ""


def test_they_are_compiled_anew_where_something_changed(checkout: Checkout) -> None:
    checkout.run()
    kept = checkout.folder / "scoring" / "metrics" / "__pycache__" / "kernel-0.o"
    for change in (lambda: checkout.source.write_text("two\n"), lambda: checkout.lock.write_text("2\n"), kept.unlink):
        change()
        assert checkout.run().startswith("Compiling")
        assert checkout.run() == ""


def test_where_nothing_is_kept_it_says_so(checkout: Checkout) -> None:
    checkout.use("#!/usr/bin/env bash\n")
    assert "could not be kept" in checkout.run()
    assert checkout.run().startswith("Compiling")


def test_the_set_up_runs_it_for_a_new_environment_and_for_one_that_is_there() -> None:
    assert (ROOT / "tools" / "setup.sh").read_text().count("tools/loops.sh\n") == 2
