"""Machines of their own on one: network namespaces on a bridge, whose cable can be pulled. For root alone.

To be used in a namespace of its own (`unshare --net --mount`), with which all of it goes.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HUB = "10.99.0.1"
NAMES = Path("/run/netns")
CHUNK_BYTES = 1 << 16


class Network:
    """The bridge, with this process at one end as the machine that holds the database, the broker and the storage."""

    def __init__(self) -> None:
        NAMES.mkdir(exist_ok=True)
        # Names of namespaces are files: they must not be seen outside, nor outlive us.
        _run("mount", "-t", "tmpfs", "tmpfs", str(NAMES))
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "hub", "type", "bridge")
        _run("ip", "address", "add", f"{HUB}/24", "dev", "hub")
        _run("ip", "link", "set", "hub", "up")

    def offer(self, port: int) -> None:
        """Let the machines reach what listens on a port of this one's loopback."""
        listener = socket.create_server((HUB, port))
        threading.Thread(target=_relay, args=(listener, port), daemon=True).start()


class Machine:
    """A network namespace with one cable to the hub, and a host name."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.address = f"10.99.0.{number}"
        cable = f"cable-{name}"
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", cable, "master", "hub", "up")
        for command in (
            ("address", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _run("ip", "-netns", name, *command)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return what runs a command on this machine."""
        there = ["ip", "netns", "exec", self.name, "unshare", "--uts"]
        return [*there, "sh", "-c", 'hostname "$0" && exec "$@"', self.name, *arguments]

    def cut_off(self) -> None:
        _run("ip", "link", "set", f"cable-{self.name}", "down")

    def plug_in(self) -> None:
        _run("ip", "link", "set", f"cable-{self.name}", "up")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"


def _relay(listener: socket.socket, port: int) -> None:
    while True:
        outer, _ = listener.accept()
        inner = socket.create_connection(("127.0.0.1", port))
        for source, target in ((outer, inner), (inner, outer)):
            threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One end is gone: so is the other.
        for end in (source, target):
            end.close()
