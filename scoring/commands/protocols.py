"""``protocols``: how tracks are scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scoring.commands.common import OK, add_json, is_for_people, write_json
from scoring.protocol import available_protocols, find_protocol, load_protocol
from scoring.protocol_text import explain

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
List the protocols that ship with Bayerboard, or explain one: what its images must be, how they are measured, and what
the leaderboard compares.

A protocol of your own is a TOML file: its mistakes are listed with their lines, all at once, and it is explained like
any other. docs/protocols.md says how to write one."""
EXAMPLES = """\
  python -m scoring protocols
  python -m scoring protocols aim22-s7
  python -m scoring protocols my-track.toml"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("protocol", nargs="?", metavar="NAME", help="one that ships, or an organiser’s own FILE.toml")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    if options.protocol is not None:
        protocol = find_protocol(options.protocol)
        write_json(options, protocol.to_json())
        if is_for_people(options):
            print(explain(protocol))
        return OK
    protocols = [load_protocol(name) for name in available_protocols()]
    write_json(options, [protocol.to_json() for protocol in protocols])
    if is_for_people(options):
        width = max(len(protocol.name) for protocol in protocols)
        for protocol in protocols:
            print(f"{protocol.name:<{width}}  {protocol.title}")
    return OK
