"""A private S3 server: rclone, which checks signatures, on a folder of its own."""

from __future__ import annotations

import secrets
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services.service import ANSWERS_WITHIN_S, Service, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "bayerboard"


class S3:
    """One server with one bucket."""

    def __init__(self, folder: Path) -> None:
        self.bucket = folder / "s3" / BUCKET
        self.bucket.mkdir(parents=True)
        self.port = free_port()
        key, secret = secrets.token_hex(8), secrets.token_hex(16)
        self.environment = {
            "BAYERBOARD_S3_BUCKET": BUCKET,
            "BAYERBOARD_S3_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        command = [
            str(Path(sys.executable).with_name("rclone")),
            *("serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{key},{secret}"),
            *("--config", "", "--cache-dir", str(folder / "s3-cache"), str(self.bucket.parent)),
        ]
        self.service = Service("s3", command, folder / "s3.log", self.answers)

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=ANSWERS_WITHIN_S).close()
        except OSError:
            return False
        return True

    def objects(self) -> list[Path]:
        """Return what lies in the bucket."""
        return [path for path in self.bucket.rglob("*") if path.is_file()]


@contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """Run a server for the length of a block."""
    server = S3(folder)
    server.service.start()
    try:
        yield server
    finally:
        server.service.stop()
