"""A participant as the site sees one: signs up, joins and submits over HTTP, with the same forms as a browser."""

from __future__ import annotations

import re
import uuid
from html import unescape
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SUBMISSION_URL = re.compile(r"/submissions/(\d+)/$")


class RequestFailed(Exception):
    """The site refused a request; the message holds the address and the page's text."""


class Participant:
    """One browser session."""

    def __init__(self, site: str, timeout_s: float = 60) -> None:
        self.site = site.rstrip("/")
        self.timeout_s = timeout_s
        self.cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))

    def sign_up(self, username: str, email: str, password: str) -> None:
        self._post_form("/accounts/signup/", username=username, email=email, password1=password)

    def sign_in(self, username: str, password: str) -> None:
        self._post_form("/accounts/login/", login=username, password=password)

    def join(self, challenge: str, team: str) -> None:
        self._post_form(f"/challenges/{challenge}/", f"/join/{challenge}/", team_name=team, accept_terms="on")

    def submit(self, phase: str, archive: Path, method_name: str, description: str = "") -> int:
        """Upload the archive as the submit page's form does; return the submission's number."""
        path = f"/challenges/{phase}/submit/"
        fields = {
            "csrfmiddlewaretoken": self._token(path),
            "method_name": method_name,
            "description": description,
            "idempotency_key": uuid.uuid4().hex,
        }
        body, content_type = encode_form(fields, archive)
        url, text = self._open(path, body, content_type)
        match = SUBMISSION_URL.search(url)
        if match is None:
            raise RequestFailed(f"{url} did not take {archive.name}: {plain_text(text)}")
        return int(match.group(1))

    def get(self, path: str) -> str:
        return self._open(path)[1]

    def _token(self, path: str) -> str:
        match = TOKEN.search(self.get(path))
        if match is None:
            raise RequestFailed(f"{self.site}{path} shows no form")
        return match.group(1)

    def _post_form(self, page: str, action: str | None = None, **fields: str) -> None:
        path = action or page
        body = urlencode({"csrfmiddlewaretoken": self._token(page), **fields}).encode()
        url, text = self._open(path, body, "application/x-www-form-urlencoded")
        if url == self.site + path:
            raise RequestFailed(f"{url} shows the form again: {plain_text(text)}")

    def _open(self, path: str, body: bytes | None = None, content_type: str = "") -> tuple[str, str]:
        request = Request(self.site + path, data=body, headers={"Referer": self.site + path})  # noqa: S310 - our own site
        if content_type:
            request.add_header("Content-Type", content_type)
        try:
            with self._opener.open(request, timeout=self.timeout_s) as response:
                return response.geturl(), response.read().decode()
        except HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            raise RequestFailed(f"{error.url} answered {error.code}: {plain_text(text)}") from None


def encode_form(fields: dict[str, str], archive: Path) -> tuple[bytes, str]:
    """Return a multipart form as the submit page sends it, with `complete` as its last field, and its type."""
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for name, value in fields.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="archive"; filename="{archive.name}"\r\n'
        "Content-Type: application/zip\r\n\r\n".encode()
    )
    parts += [archive.read_bytes(), b"\r\n"]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="complete"\r\n\r\n1\r\n--{boundary}--\r\n'.encode()
    )
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def plain_text(html: str) -> str:
    """Return the text of the page's main part in one line."""
    main: Any = re.search(r"<main.*?</main>", html, re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", main.group(0) if main else html)
    return unescape(" ".join(text.split()))[:600]
