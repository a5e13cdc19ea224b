"""A real broker of a test's own, or none."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bayerboard.celery import app
from bayerboard.operations import valkey
from bayerboard.operations.supervisor import Program, Supervisor
from tests.patience import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


def use_broker(monkeypatch: pytest.MonkeyPatch, socket: Path) -> None:
    """Let this process talk to the server on `socket`, whether there is one or not."""
    for name in ("broker_url", "broker_read_url", "broker_write_url"):
        monkeypatch.setattr(app.conf, name, f"redis+socket://{socket}")
    # It keeps its connections, and would go on trying a server that is gone.
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    monkeypatch.setattr(app, "_pool", None)


@contextmanager
def running_broker(**options: str) -> Iterator[Path]:
    """Run a server for the length of a block and give its socket; options replace those of the embedded mode."""
    with tempfile.TemporaryDirectory(prefix="bb-") as name:
        folder = Path(name)
        socket = folder / "s"
        command = list(valkey.server_command(valkey.find_server(), folder, socket))
        for option, value in options.items():
            command += [f"--{option.replace('_', '-')}", value]
        supervisor = Supervisor([Program("broker", command, folder / "broker.log")], lambda _: None)
        supervisor.start()
        try:
            wait_for(lambda: valkey.answers(socket))
            yield socket
        finally:
            supervisor.stop()
