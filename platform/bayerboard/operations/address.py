"""The address that the site listens on, and whether the site answers there."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from bayerboard.operations.errors import CannotStart


@dataclass(frozen=True)
class Address:
    """A host and a port to listen on."""

    host: str
    port: int

    @classmethod
    def parse(cls, bind: str) -> Address:
        """Read `HOST:PORT`, `[HOST]:PORT` or `PORT`; port 0 takes any that is free."""
        try:
            parts = urlsplit(f"//127.0.0.1:{bind}" if bind.isdecimal() else f"//{bind}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or port is None or parts.path or parts.username is not None:
            raise CannotStart(f"--bind takes HOST:PORT, as in 127.0.0.1:8000; not {bind!r}.")
        return cls(host, port)

    def __str__(self) -> str:
        """Return the form that gunicorn takes."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the site."""
        return f"http://{Address(self._reachable_host, self.port)}/"

    @property
    def _reachable_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not bound here

    def claim(self) -> Address:
        """Return this address with a real port, or raise `CannotStart` where it cannot be listened on."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As gunicorn does: a connection of a stopped server that still lingers is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
                probe.listen()
            except (OSError, UnicodeError, OverflowError) as error:
                raise CannotStart(
                    f"Bayerboard cannot listen on {self}: {getattr(error, 'strerror', None) or error}. "
                    "Stop what uses it, or choose another address: --bind 127.0.0.1:8001 "
                    "(with make: BIND=127.0.0.1:8001)."
                ) from None
            return Address(self.host, probe.getsockname()[1])

    def is_healthy(self) -> bool:
        """Whether the site answers on /health/ that it is well."""
        connection = http.client.HTTPConnection(self._reachable_host, self.port, timeout=5)
        try:
            connection.request("GET", "/health/", headers=health_headers())
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def health_headers() -> dict[str, str]:
    """Return the headers with which the site takes a request from this machine for one that a proxy sent."""
    hosts = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return {
        "Host": hosts[0] if hosts else "localhost",
        "X-Forwarded-Proto": "https" if settings.HTTPS else "http",
    }
