"""``problems``: the catalogue."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from scoring.commands.common import OK, add_json, is_for_people, write_json
from scoring.problems import CATALOGUE
from scoring.problems_page import problems_markdown

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
List every problem that may be reported about a submission or a request: its code, what is wrong, and what to do.

The codes are stable; words in braces stand for what is filled in."""
EXAMPLES = """\
  python -m scoring problems
  python -m scoring problems --markdown > docs/problems.md"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", action="store_true", help="as the documentation's page")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    write_json(options, [{"code": code, **asdict(entry)} for code, entry in CATALOGUE.items()])
    if not is_for_people(options):
        return OK
    if options.markdown:
        print(problems_markdown(), end="")
        return OK
    for code, entry in CATALOGUE.items():
        print(f"{entry.level}: {code}\n    {entry.what}\n    {entry.to_do}")
    return OK
