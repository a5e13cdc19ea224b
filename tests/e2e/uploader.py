"""A participant who uploads in parts, with the requests that the page's script makes."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from bayerboard.demo.participant import RequestFailed
from tests.e2e.visitor import TOKEN, Form, Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OK, CREATED, CLIENT_ERROR, SERVER_ERROR = 200, 201, 400, 500


class UploadEnded(Exception):
    """Nothing more can come of this upload; a new one may be begun."""


@dataclass(frozen=True)
class Plan:
    """An open upload, and the parts that it is to have, by number."""

    upload: str
    parts: Mapping[int, bytes]


class Uploader(Visitor):
    """One browser session; every method is one request, and may be repeated."""

    def read_token(self, phase: str) -> None:
        """Read what every request needs from the submit page."""
        token = TOKEN.search(self.get(f"/challenges/{phase}/submit/"))
        assert token is not None, "no form on the submit page"
        self.token = token[1]

    def open(self, phase: str, archive: Path) -> Plan:
        content = archive.read_bytes()
        announced = {"filename": archive.name, "size_bytes": len(content)}
        plan = self._call("POST", f"/challenges/{phase}/uploads/", announced)
        size = plan["part_size_bytes"]
        parts = {number: content[(number - 1) * size : number * size] for number in range(1, plan["part_count"] + 1)}
        return Plan(plan["upload"], parts)

    def arrived(self, plan: Plan) -> list[int]:
        """Return the numbers of the parts that the site has."""
        return [part["number"] for part in self._call("GET", f"/uploads/{plan.upload}/parts/")["parts"]]

    def send_part(self, plan: Plan, number: int) -> dict[str, Any]:
        """Send one part to where the site says; return what completing needs of it."""
        status, headers, body = self._exchange("PUT", self._address(plan, number), plan.parts[number], {})
        _judge(status, body)
        return {"number": number, "etag": headers["ETag"]}

    def begin_part(self, plan: Plan, number: int) -> socket.socket:
        """Announce a part and send half of it; return the connection."""
        url = urlsplit(self._address(plan, number))
        data = plan.parts[number]
        lines = [f"PUT {url.path}?{url.query} HTTP/1.1", f"Host: {url.netloc}", f"Content-Length: {len(data)}"]
        connection = socket.create_connection((url.hostname or "", url.port or 80), timeout=self.timeout_s)
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data[: len(data) // 2])
        return connection

    def complete(self, plan: Plan, parts: list[dict[str, Any]]) -> int:
        """Have the archive made of its parts; return its size."""
        size: int = self._call("POST", f"/uploads/{plan.upload}/complete/", {"parts": parts})["size_bytes"]
        return size

    def give_up(self, plan: Plan) -> None:
        self._call("DELETE", f"/uploads/{plan.upload}/")

    def form_of(self, plan: Plan, phase: str, key: str, method_name: str = "A method") -> Form:
        """Return the submit form that names a complete upload."""
        fields = {"csrfmiddlewaretoken": self.token, "upload": plan.upload, "method_name": method_name}
        body = urlencode({**fields, "idempotency_key": key, "complete": "1"}).encode()
        return Form(f"/challenges/{phase}/submit/", body, "application/x-www-form-urlencoded")

    def _address(self, plan: Plan, number: int) -> str:
        address: str = self._call("POST", f"/uploads/{plan.upload}/parts/{number}/")["url"]
        return address

    def _call(self, method: str, path: str, data: Any = None) -> Any:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        headers = {"Cookie": cookies, "X-CSRFToken": self.token, "Content-Type": "application/json"}
        status, _, body = self._exchange(method, self.site + path, json.dumps(data or {}).encode(), headers)
        _judge(status, body)
        return json.loads(body)

    def _exchange(
        self, method: str, address: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        url = urlsplit(address)
        connection = http.client.HTTPConnection(url.netloc, timeout=self.timeout_s)
        try:
            connection.request(method, f"{url.path}?{url.query}", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def _judge(status: int, body: bytes) -> None:
    """Raise RequestFailed where the same request may work later, and UploadEnded where it will not."""
    if status in {OK, CREATED}:
        return
    said = f"{status} {body[:300]!r}"
    raise UploadEnded(said) if CLIENT_ERROR <= status < SERVER_ERROR else RequestFailed(said)
