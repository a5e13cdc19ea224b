"""A participant over HTTP who can also misbehave: the same request many times at once, half a request, no patience."""

from __future__ import annotations

import http.client
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bayerboard.demo.participant import Participant, encode_form
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Form:
    """A submit form, ready to send."""

    path: str
    body: bytes
    content_type: str


@dataclass(frozen=True)
class Answer:
    """What the site said to one request."""

    status: int
    location: str
    text: str

    @property
    def submission(self) -> int | None:
        """The submission that the answer leads to."""
        found = re.fullmatch(r"/submissions/(\d+)/", self.location)
        return int(found[1]) if found else None


class Visitor(Participant):
    """One browser session, signed up; `name` is the user's and the team's."""

    def __init__(self, site: str, name: str) -> None:
        super().__init__(site, PATIENCE_S)
        self.name = name
        self.sign_up(name, f"{name}@example.org", PASSWORD)

    def download(self, path: str) -> bytes:
        """Return a file's content, from wherever the site sends for it."""
        with self._opener.open(self.site + path, timeout=self.timeout_s) as response:
            content: bytes = response.read()
            return content

    def fill_in(self, phase: str, archive: Path, key: str, method_name: str = "A method") -> Form:
        """Return the phase's submit form, filled in."""
        path = f"/challenges/{phase}/submit/"
        token = TOKEN.search(self.get(path))
        assert token is not None, f"no form on {path}"
        fields = {
            "csrfmiddlewaretoken": token[1],
            "method_name": method_name,
            "description": "",
            "idempotency_key": key,
        }
        return Form(path, *encode_form(fields, archive))

    def send(self, form: Form) -> Answer:
        """Send a form once, and follow no redirect."""
        connection = http.client.HTTPConnection(self._host, timeout=self.timeout_s)
        try:
            connection.request("POST", form.path, body=form.body, headers=self._headers(form))
            response = connection.getresponse()
            return Answer(response.status, response.headers.get("Location", ""), response.read().decode())
        finally:
            connection.close()

    def send_all(self, forms: Sequence[Form]) -> list[Answer]:
        """Send forms at the same time."""
        with ThreadPoolExecutor(len(forms)) as threads:
            return list(threads.map(self.send, forms))

    def send_half(self, form: Form) -> bytes:
        """Announce the whole form, send half of it, and end the sending; return all that the site answers."""
        headers = {**self._headers(form), "Content-Length": str(len(form.body)), "Connection": "close"}
        head = "\r\n".join([f"POST {form.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())])
        host, port = self._host.split(":")
        with socket.create_connection((host, int(port)), timeout=self.timeout_s) as connection:
            connection.sendall(f"{head}\r\n\r\n".encode() + form.body[: len(form.body) // 2])
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    def listen_while_sending(self, form: Form) -> tuple[bytes, bytes]:
        """Announce the whole form, send its beginning, and wait; return the answer to that alone.

        Then send the rest, and return what comes after it, until the site closes the connection.
        """
        headers = {**self._headers(form), "Content-Length": str(len(form.body)), "Connection": "close"}
        head = "\r\n".join([f"POST {form.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())])
        begun = len(form.body) // 4
        host, port = self._host.split(":")
        with socket.create_connection((host, int(port)), timeout=self.timeout_s) as connection:
            connection.sendall(f"{head}\r\n\r\n".encode() + form.body[:begun])
            answer = b""
            while b"</html>" not in answer:
                received = connection.recv(1 << 16)
                assert received, "the site closed the connection"
                answer += received
            connection.sendall(form.body[begun:])
            return answer, b"".join(iter(lambda: connection.recv(1 << 16), b""))

    @property
    def _host(self) -> str:
        return urlsplit(self.site).netloc

    def _headers(self, form: Form) -> dict[str, str]:
        return {
            "Host": self._host,
            "Content-Type": form.content_type,
            "Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies),
        }
