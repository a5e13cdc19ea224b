"""A real S3 server: rclone, which checks signatures and their expiry, on a folder of the test's own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bayerboard.lib.storage.s3 import s3_client
from bayerboard.lib.storage.s3_address import S3Address
from tests.patience import wait_for
from tests.services.service import ANSWERS_WITHIN_S

if TYPE_CHECKING:
    from types import TracebackType

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "tester", "a secret of the tests"


class S3Server:
    """Serves `folder` on a loopback port until the block ends; can be stopped and started in between."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        command: list[str | Path] = [
            Path(sys.executable).with_name("rclone"),
            *("serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{ACCESS_KEY_ID},{SECRET_ACCESS_KEY}"),
            *("--config", "", "--cache-dir", self.folder.with_name("cache"), self.folder),
        ]
        with self.folder.with_name("rclone.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})
        wait_for(self.answers, check=self._check)

    def _check(self) -> None:
        assert self._process is not None
        assert self._process.poll() is None, self.folder.with_name("rclone.log").read_text()[-2000:]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWERS_WITHIN_S):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def address(self, bucket: str, **changes: str) -> S3Address:
        values = {
            "endpoint_url": self.endpoint_url,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
            **changes,
        }
        return S3Address(bucket, "us-east-1", **values)

    def make_bucket(self) -> S3Address:
        """Make a bucket that no other test has."""
        address = self.address(f"test-{uuid.uuid4().hex[:12]}")
        s3_client(address, address.site_url).create_bucket(Bucket=address.bucket)
        return address


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def objects_in(address: S3Address) -> dict[str, Any]:
    """Return what lies in the bucket, as the server lists it."""
    listed = s3_client(address, address.site_url).list_objects_v2(Bucket=address.bucket)
    return {item["Key"]: item for item in listed.get("Contents", [])}
