"""A participant who uploads as the page's own script does, in parts, and takes the time of each request."""

from __future__ import annotations

import http.client
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SUBMISSION = re.compile(r"/submissions/(\d+)/$")
FINAL = re.compile(r'class="pill (scored|rejected|failed|cancelled)')
RANK = re.compile(r"<dt>Rank</dt><dd>(\d+)</dd>")


class RequestFailed(Exception):
    """The site answered an error."""


@dataclass
class Taken:
    """Seconds of every request, by its purpose."""

    page: list[float] = field(default_factory=list)
    part: list[float] = field(default_factory=list)
    api: list[float] = field(default_factory=list)
    poll: list[float] = field(default_factory=list)
    # The form that makes the submission, once its upload is complete.
    submit: list[float] = field(default_factory=list)


class Sender:
    """One signed-in participant with a connection of its own."""

    def __init__(self, address: str, cookies: Mapping[str, str]) -> None:
        self._cookies = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._address = address
        self._connection = http.client.HTTPConnection(address, timeout=120)
        self.taken = Taken()
        self.last_byte_at = 0.0

    def submit(self, phase: str, archive: Path) -> int:
        """Upload in parts, then send the form; return the submission's number."""
        return self.send_form(phase, self.upload(phase, archive))

    def upload(self, phase: str, archive: Path) -> dict[str, str]:
        """Upload in parts; return the fields of the form that makes a submission of it."""
        page = f"/challenges/{phase}/submit/"
        token = _find(TOKEN, self._request("GET", page, self.taken.page))
        size_bytes = archive.stat().st_size
        opened = self._api("POST", f"/challenges/{phase}/uploads/", token,
                           {"filename": archive.name, "size_bytes": size_bytes})  # fmt: skip
        upload, parts = opened["upload"], []
        with archive.open("rb") as file:
            for number in range(1, opened["part_count"] + 1):
                signed = self._api("POST", f"/uploads/{upload}/parts/{number}/", token)
                etag = self._put(signed, file.read(opened["part_size_bytes"]))
                parts.append({"number": number, "etag": etag})
        self._api("POST", f"/uploads/{upload}/complete/", token, {"parts": parts})
        form = {"csrfmiddlewaretoken": token, "method_name": "Measured", "idempotency_key": uuid.uuid4().hex}
        return {**form, "upload": upload, "complete": "1"}

    def send_form(self, phase: str, fields: dict[str, str]) -> int:
        """Make a submission of the upload; return its number."""
        location = self._post_form(f"/challenges/{phase}/submit/", fields)
        return int(_find(SUBMISSION, location))

    def disconnect(self) -> None:
        """Let the next request open a connection anew."""
        self._connection.close()

    def status(self, submission: int) -> str:
        """Return the content of the page that polls itself."""
        return self._request("GET", f"/submissions/{submission}/status/", self.taken.poll)

    def _api(self, method: str, path: str, token: str, data: dict[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json", "X-CSRFToken": token}
        return json.loads(self._request(method, path, self.taken.api, json.dumps(data or {}).encode(), headers))

    def _put(self, signed: dict[str, Any], data: bytes) -> str:
        url = urlsplit(signed["url"])
        connection = self._connection if url.netloc in {"", self._address} else http.client.HTTPConnection(url.netloc)
        began = time.perf_counter()
        connection.request("PUT", f"{url.path}?{url.query}", body=data, headers=signed.get("headers", {}))
        self.last_byte_at = time.perf_counter()
        response = connection.getresponse()
        body = response.read()
        self.taken.part.append(time.perf_counter() - began)
        if response.status != 200:
            raise RequestFailed(f"part: {response.status} {body[:300]!r}")
        return response.headers["ETag"]

    def _post_form(self, path: str, fields: dict[str, str]) -> str:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **self._headers(path)}
        began = time.perf_counter()
        self._connection.request("POST", path, body=urlencode(fields).encode(), headers=headers)
        response = self._connection.getresponse()
        body = response.read()
        self.taken.submit.append(time.perf_counter() - began)
        if response.status != 302:
            raise RequestFailed(f"{path}: {response.status} {body[:300]!r}")
        return response.headers["Location"]

    def _request(
        self,
        method: str,
        path: str,
        taken: list[float],
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        began = time.perf_counter()
        self._connection.request(method, path, body=body, headers={**self._headers(path), **(headers or {})})
        response = self._connection.getresponse()
        text = response.read().decode()
        taken.append(time.perf_counter() - began)
        if response.status >= 400:
            raise RequestFailed(f"{method} {path}: {response.status} {text[:300]}")
        return text

    def _headers(self, path: str) -> dict[str, str]:
        return {"Cookie": self._cookies, "Referer": f"http://{self._address}{path}"}


def _find(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    if found is None:
        raise RequestFailed(f"no {pattern.pattern} in {text[:300]}")
    return found[1]
