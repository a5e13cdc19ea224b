"""Stands between the site and its S3 server, and goes wrong as networks and servers do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self

from tests.cors import cors_headers
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

# error: the server answers 500 · hang: no answer comes · cut: the answer ends in its middle
# lost: the server did it, but the connection broke before its answer came
Fault = Literal["", "error", "hang", "cut", "lost"]
ERROR = b'<?xml version="1.0"?><Error><Code>InternalError</Code><Message>On purpose.</Message></Error>'


@dataclass
class FaultProxy:
    """Hands requests on to the port of an S3 server; `fault` says what goes wrong, `when` for which requests.

    `cors` are the bucket's rules for browsers.
    """

    target_port: int
    fault: Fault = ""
    when: Callable[[str, str], bool] = lambda method, path: True
    requests: list[tuple[str, str]] = field(default_factory=list)
    cors: Sequence[Mapping[str, Any]] = ()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._freed = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # One that hangs is freed on exit; nobody waits for the others.
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._freed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def fault_of(self, method: str, path: str) -> Fault:
        self.requests.append((method, path))
        return self.fault if self.when(method, path) else ""

    def hang(self) -> None:
        self._freed.wait()


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultProxy
    protocol_version = "HTTP/1.1"

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.fault_of(self.command, self.path)
        self.close_connection = True
        if fault == "hang":
            self.proxy.hang()
        elif fault == "error":
            self.answer(500, {"Content-Type": "application/xml", "Content-Length": str(len(ERROR))}, ERROR)
        else:
            status, headers, content = self.forward(body)
            if fault == "cut":
                content = content[: len(content) // 2]
            if fault != "lost":
                self.answer(status, headers, content)

    def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.proxy.target_port, timeout=PATIENCE_S)
        try:
            # The name of this proxy stands in Host, as it was signed.
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, **self.cors_headers(self.command), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_OPTIONS(self) -> None:
        """Answer a browser that asks what it may send."""
        headers = self.cors_headers(self.headers.get("Access-Control-Request-Method", ""))
        self.close_connection = True
        self.answer(200 if headers else 403, {**headers, "Content-Length": "0"}, b"")

    def cors_headers(self, method: str) -> dict[str, str]:
        return cors_headers(self.proxy.cors, dict(self.headers), method)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request  # noqa: N815  # http.server's names

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""
