"""The command line: ``python -m scoring score|check|problems``.

Exit status: 0 when all is well, 2 when the submission is at fault, 1 for anything else.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from scoring.check import check_archive
from scoring.engine import report_json, score_archive
from scoring.manifest import Manifest, ManifestError
from scoring.problems import CATALOGUE, ReferenceInvalid, SubmissionRejected
from scoring.problems_page import problems_markdown
from scoring.protocol import ProtocolError, available_protocols, load_protocol
from scoring.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.engine import ScoreReport
    from scoring.problems import Problem
    from scoring.protocol import Protocol

OK = 0
FAILED = 1
SUBMISSION_AT_FAULT = 2

_PROGRAM = "python -m scoring"


class _Parser(argparse.ArgumentParser):
    """Exits with 1 for a mistake in the arguments: argparse's 2 is for submissions here."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status, except for mistakes in the arguments, which exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A console that lacks a quotation mark must not end the scoring.
        sys.stdout.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (ManifestError, ProtocolError, ReferenceInvalid, OSError) as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description="Score and check submissions of packed-RAW predictions.",
        epilog="Exit status: 0 all is well, 2 the submission is at fault, 1 anything else.",
    )
    commands = parser.add_subparsers(required=True, metavar="score|check|problems")

    score = commands.add_parser("score", help="score a submission against a reference set")
    _add_common(score)
    score.add_argument("--reference", type=Path, required=True, metavar="DIR_OR_ZIP", help="the reference set")
    score.set_defaults(run=_score)

    check = commands.add_parser("check", help="check a submission's form: names, shapes, types")
    _add_common(check)
    expected = check.add_mutually_exclusive_group(required=True)
    expected.add_argument("--reference", type=Path, metavar="DIR_OR_ZIP", help="the reference set")
    expected.add_argument("--manifest", type=Path, metavar="FILE.json", help="the phase's public manifest")
    check.set_defaults(run=_check)

    problems = commands.add_parser("problems", help="list every problem that may be reported")
    problems.add_argument("--markdown", action="store_true", help="as the documentation's page")
    problems.set_defaults(run=_problems)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(available_protocols())
    parser.add_argument("--protocol", required=True, metavar="NAME", help=f"how the track is scored: {names}")
    parser.add_argument("--submission", type=Path, required=True, metavar="ZIP", help="the archive")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the result to this file, too")


def _score(options: argparse.Namespace) -> int:
    protocol = load_protocol(options.protocol)
    submission: Path = options.submission
    try:
        with Reference.open(options.reference, protocol) as reference:
            report = score_archive(submission, reference, protocol, name=submission.name)
    except SubmissionRejected as rejection:
        errors, warnings, factsheet = rejection.errors, rejection.warnings, rejection.factsheet
        _write_json(options.json, report_json(protocol.name, factsheet=factsheet, warnings=warnings, errors=errors))
        _print_problems(submission.name, errors, warnings)
        return SUBMISSION_AT_FAULT
    _write_json(options.json, report.to_json())
    _print_scores(report, protocol)
    _print_problems(submission.name, [], report.warnings)
    return OK


def _check(options: argparse.Namespace) -> int:
    protocol = load_protocol(options.protocol)
    submission: Path = options.submission
    manifest = _expected_manifest(options, protocol)
    report = check_archive(submission, manifest, protocol, name=submission.name)
    _write_json(
        options.json,
        report_json(protocol.name, factsheet=report.factsheet, warnings=report.warnings, errors=report.errors),
    )
    if report.ok:
        count = len(manifest.files)
        print(f"{submission.name}: the form is right, with all {count} images of {protocol.title}.")
        print("Values and checksums are checked when it is scored.")
    _print_problems(submission.name, report.errors, report.warnings)
    return OK if report.ok else SUBMISSION_AT_FAULT


def _expected_manifest(options: argparse.Namespace, protocol: Protocol) -> Manifest:
    if options.reference is not None:
        with Reference.open(options.reference, protocol) as reference:
            return reference.manifest()
    path: Path = options.manifest
    try:
        data: Any = json.loads(path.read_text("utf-8"))
    except ValueError as error:  # not UTF-8, too
        raise ManifestError(f"{path}: not JSON: {error}") from error
    return Manifest.from_json(data, source=str(path))


def _problems(options: argparse.Namespace) -> int:
    if options.markdown:
        print(problems_markdown(), end="")
        return OK
    for code, entry in CATALOGUE.items():
        print(f"{entry.level}: {code}\n    {entry.what}\n    {entry.to_do}")
    return OK


def _write_json(path: Path | None, data: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _print_scores(report: ScoreReport, protocol: Protocol) -> None:
    """A table of the images and their mean, in the protocol's order of columns and its precision."""
    headings = [f"{column.label} [{column.unit}]" if column.unit else column.label for column in protocol.columns]
    rows = [(image.name, image.values) for image in report.images]
    rows.append(("mean", report.metrics))
    name_width = max(len(name) for name, _ in rows)
    widths = [max(len(heading), 10) for heading in headings]
    cells = "".join(f"  {heading:>{width}}" for heading, width in zip(headings, widths, strict=True))
    print(f"{'image':<{name_width}}{cells}")
    for name, values in rows:
        cells = "".join(
            f"  {values[column.key]:>{width}.{column.precision}f}"
            for column, width in zip(protocol.columns, widths, strict=True)
        )
        print(f"{name:<{name_width}}{cells}")


def _print_problems(submission: str, errors: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    if errors:
        print(f"{submission} was rejected; errors: {len(errors)}.", file=sys.stderr)
    for kind, problems in (("error", errors), ("warning", warnings)):
        for found in problems:
            print(f"{kind}: {found.message}  [{found.code}]", file=sys.stderr)
            print(f"    {found.hint}", file=sys.stderr)
