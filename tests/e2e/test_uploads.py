"""An archive that arrives in parts, at a real server that is killed meanwhile."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import CHALLENGE
from tests.e2e.running import wait_for
from tests.e2e.visitor import TOKEN, Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Phases
    from tests.e2e.running import Bayerboard

pytestmark = pytest.mark.processes


class Uploader(Visitor):
    """Does what the page's script does."""

    def join_and_read_token(self, challenge: str, phase: str) -> None:
        self.join(challenge, self.name)
        token = TOKEN.search(self.get(f"/challenges/{phase}/submit/"))
        assert token is not None
        self.token = token[1]

    def call(self, method: str, path: str, data: Any = None) -> Any:
        status, _, body = self.exchange(method, path, json.dumps(data or {}).encode())
        assert status in {200, 201}, body
        return json.loads(body)

    def exchange(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self._host, timeout=self.timeout_s)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        headers = {"Cookie": cookies, "X-CSRFToken": self.token, "Content-Type": "application/json"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def address_of(self, upload: str, number: int) -> str:
        url = urlsplit(self.call("POST", f"/uploads/{upload}/parts/{number}/")["url"])
        return f"{url.path}?{url.query}"

    def send_part(self, upload: str, number: int, data: bytes) -> dict[str, Any]:
        status, headers, body = self.exchange("PUT", self.address_of(upload, number), data)
        assert status == 200, body
        return {"number": number, "etag": headers["ETag"]}

    def begin_part(self, upload: str, number: int, data: bytes) -> socket.socket:
        """Announce a part and send half of it; return the connection."""
        lines = [f"PUT {self.address_of(upload, number)} HTTP/1.1", f"Host: {self._host}"]
        head = "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""])
        host, port = self._host.split(":")
        connection = socket.create_connection((host, int(port)), timeout=self.timeout_s)
        connection.sendall(head.encode() + data[: len(data) // 2])
        return connection


def test_an_upload_whose_server_is_killed_goes_on_byte_for_byte(
    bayerboard: Bayerboard, phases: Phases, tmp_path: Path
) -> None:
    phase = phases.long.path(CHALLENGE)
    content = phases.long.zip(tmp_path / "long.zip", 40).read_bytes()
    uploader = Uploader(bayerboard.url, "uploader")
    uploader.join_and_read_token(CHALLENGE, phase)
    plan = uploader.call("POST", f"/challenges/{phase}/uploads/", {"filename": "long.zip", "size_bytes": len(content)})
    upload, size = plan["upload"], plan["part_size_bytes"]
    slices = {number: content[(number - 1) * size : number * size] for number in range(1, plan["part_count"] + 1)}
    assert len(slices) >= 2

    parts = [uploader.send_part(upload, 1, slices[1])]
    with uploader.begin_part(upload, 2, slices[2]):
        bayerboard.wait_for_restart("web", bayerboard.kill_program("web"))
    wait_for(bayerboard.address.is_healthy, timeout_s=60)

    arrived = [part["number"] for part in uploader.call("GET", f"/uploads/{upload}/parts/")["parts"]]
    assert arrived == [1]
    with ThreadPoolExecutor(4) as threads:
        parts += threads.map(lambda number: uploader.send_part(upload, number, slices[number]), sorted(slices)[1:])
    assert uploader.call("POST", f"/uploads/{upload}/complete/", {"parts": parts})["size_bytes"] == len(content)
    form = f"csrfmiddlewaretoken={uploader.token}&upload={upload}&method_name=A+method&complete=1"
    url, _ = uploader._open(f"/challenges/{phase}/submit/", form.encode(), "application/x-www-form-urlencoded")
    submission = int(url.rstrip("/").rpartition("/")[2])

    assert bayerboard.wait_for_end(submission)["status"] == "scored"
    [row] = bayerboard.rows("SELECT archive_key FROM submissions_submission WHERE id = ?", submission)
    assert (bayerboard.data_dir / "objects" / row["archive_key"]).read_bytes() == content
