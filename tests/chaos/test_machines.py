"""Two worker machines and a web machine, of which one is cut off in the middle of a job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.chaos.machines import SUBMISSIONS

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


def test_what_a_machine_held_that_is_cut_off_another_finishes() -> None:
    if os.geteuid() != 0:
        pytest.skip("network namespaces are made by root alone")
    if not shutil.which("ip"):
        pytest.fail("The tests with several machines need the command ip (Debian: apt-get install iproute2).")

    # Short and not below pytest's folder: sockets have short paths, and PostgreSQL runs as another user.
    with tempfile.TemporaryDirectory(prefix="bayerboard-machines-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        done = subprocess.run(
            ["unshare", "--net", "--mount", sys.executable, "-m", "tests.chaos.machines", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        logs = "\n".join(f"{log.name}: {log.read_text()[-3000:]}" for log in Path(folder).glob("*.log"))

    assert done.returncode == 0, done.stderr + logs
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["held_by"].startswith("one/")
    assert seen["finished_by"].startswith("two/")
    assert seen["attempts"] >= 2
    assert seen["unchanged"], "the machine that came back changed a result"
    assert (seen["submissions"], seen["scores"]) == (SUBMISSIONS + 1, 1)
    assert seen["late_by"].startswith("one/"), "the machine that came back works no more"
