"""Where the site listens."""

from __future__ import annotations

import http.server
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bayerboard.operations.address import Address, health_headers
from bayerboard.operations.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("127.0.0.1:8000", Address("127.0.0.1", 8000)),
        ("0.0.0.0:80", Address("0.0.0.0", 80)),
        ("[::1]:8000", Address("::1", 8000)),
        ("localhost:0", Address("localhost", 0)),
        ("8001", Address("127.0.0.1", 8001)),
    ],
)
def test_an_address_is_read(bind: str, address: Address) -> None:
    assert Address.parse(bind) == address


@pytest.mark.parametrize(
    "bind", ["", "127.0.0.1", ":8000", "host:port", "host:70000", "host:80/path", "me@host:80", "[::1"]
)
def test_what_is_no_address_is_refused(bind: str) -> None:
    with pytest.raises(CannotStart, match="--bind takes HOST:PORT"):
        Address.parse(bind)


@pytest.mark.parametrize(
    ("address", "text", "url"),
    [
        (Address("127.0.0.1", 8000), "127.0.0.1:8000", "http://127.0.0.1:8000/"),
        (Address("0.0.0.0", 80), "0.0.0.0:80", "http://127.0.0.1:80/"),
        (Address("::", 80), "[::]:80", "http://[::1]:80/"),
    ],
)
def test_an_address_is_written_for_gunicorn_and_for_a_browser(address: Address, text: str, url: str) -> None:
    assert (str(address), address.url) == (text, url)


def test_port_0_becomes_a_real_port() -> None:
    assert Address("127.0.0.1", 0).claim().port > 0


def test_a_port_in_use_is_refused_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"cannot listen on 127.0.0.1:{port}: Address already in use.*BIND="):
            Address("127.0.0.1", port).claim()


def test_a_host_that_is_not_of_this_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match=r"cannot listen on 192\.0\.2\.1:8000"):
        Address("192.0.2.1", 8000).claim()


@contextmanager
def site(status: int) -> Iterator[tuple[Address, list[str]]]:
    """Answer every GET with one status; also give the paths that were asked for."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Address("127.0.0.1", server.server_port), paths
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (301, False)])
def test_a_site_is_healthy_when_it_says_so(status: int, healthy: bool) -> None:
    with site(status) as (address, paths):
        assert address.is_healthy() is healthy
    assert paths == ["/health/"]


def test_a_site_that_does_not_answer_is_not_healthy() -> None:
    assert not Address("127.0.0.1", 0).claim().is_healthy()


@pytest.mark.parametrize(
    ("hosts", "host"),
    [([], "localhost"), (["*"], "localhost"), ([".example.org"], "example.org"), (["a", "b"], "a")],
)
def test_the_question_names_a_host_that_the_site_allows(settings: Settings, hosts: list[str], host: str) -> None:
    settings.ALLOWED_HOSTS = hosts
    assert health_headers()["Host"] == host


def test_behind_https_the_question_looks_like_a_proxys(settings: Settings) -> None:
    settings.HTTPS = True
    assert health_headers()["X-Forwarded-Proto"] == "https"
