"""What gunicorn imports, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ASK = """
import gc, sys
import bayerboard.wsgi
print(gc.get_freeze_count(), len(gc.get_objects()), "bayerboard.pages.board" in sys.modules)
"""


def test_the_collector_leaves_alone_what_stays_for_good(tmp_path: Path) -> None:
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment = {**kept, "BAYERBOARD_DATA": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}

    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    frozen, watched, has_views = done.stdout.split()
    assert int(frozen) > 100 * int(watched)
    assert has_views == "True"
