"""A small site of its own, in processes of their own: filled, shown, backed up and restored.

`python -m tests.operations.own_site fill|show` runs inside such a process.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class OwnSite:
    """Its data folder, and what names its servers."""

    data_dir: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments."""
        foreign = {"REDIS_URL", "DATABASE_URL", "SECRET_KEY"}
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in foreign and not name.startswith(("BAYERBOARD_", "AWS_"))
        }
        environment = {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "bayerboard.settings",
            "BAYERBOARD_DATA": str(self.data_dir),
            "REDIS_URL": f"redis+socket://{self.data_dir}/no-broker",
            **self.variables,
        }
        return subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *words)

    def fill(self, first_number: int = 1) -> None:
        """Make the tables, and a challenge with scores; names are numbered from `first_number`."""
        done = self.run("-m", __name__, "fill", str(first_number))
        assert done.returncode == 0, done.stderr

    def show(self) -> dict[str, Any]:
        """Return what a visitor sees, and what lies in the storage."""
        done = self.run("-m", __name__, "show")
        assert done.returncode == 0, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown


def fill(first_number: int) -> None:
    from tests import factories  # noqa: PLC0415 - needs a Django that is set up

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        factories._numbers = count(first_number)
        cast = factories.make_cast(folder)
        name = 'Quoted "name", with a comma\nand a second line'
        factories.make_scored(cast.phase, cast.team, folder, psnr=31.5, method_name=name)
        factories.make_scored(cast.phase, cast.rivals, folder, psnr=30.25)
        factories.make_submission(cast.phase, cast.team, folder)


def show() -> dict[str, Any]:
    from django.test import Client  # noqa: PLC0415 - likewise

    from bayerboard.challenges.models import Phase  # noqa: PLC0415
    from bayerboard.lib.storage import object_store  # noqa: PLC0415
    from bayerboard.operations.backup.databases import read_now  # noqa: PLC0415
    from bayerboard.operations.backup.stored import stored_keys  # noqa: PLC0415
    from bayerboard.submissions.models import Submission  # noqa: PLC0415

    store = object_store()
    return {
        "boards": [
            Client(SERVER_NAME="localhost").get(phase.get_absolute_url()).content.decode()
            for phase in Phase.objects.order_by("pk")
        ],
        "submissions": [
            [one.pk, str(one), one.archive_key, one.evaluation.status, one.evaluation.metrics]
            for one in Submission.objects.order_by("pk")
        ],
        "objects": {key: hashlib.sha256(store.open(key).read()).hexdigest() for key in stored_keys(read_now)},
    }


def main() -> None:
    import django  # noqa: PLC0415 - only in a process of its own
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    if sys.argv[1] == "fill":
        call_command("migrate", verbosity=0)
        fill(int(sys.argv[2]))
    else:
        sys.stdout.write(json.dumps(show()))


if __name__ == "__main__":
    main()
