"""``check``: whether a submission's form is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoring.check import check_archive
from scoring.commands.common import (
    OK,
    SUBMISSION_AT_FAULT,
    add_json,
    add_protocol,
    is_for_people,
    print_problems,
    write_json,
)
from scoring.manifest import Manifest, ManifestError
from scoring.protocol import find_protocol
from scoring.reference import Reference
from scoring.report import report_json

if TYPE_CHECKING:
    import argparse

    from scoring.protocol import Protocol

DESCRIPTION = """\
Check a submission's form: the names of its files, their shapes and types, and its readme.

This is what the site says before and after an upload, with the same words. Values and checksums are checked when the
submission is scored. A phase's public manifest is enough: no reference is needed."""
EXAMPLES = """\
  python -m scoring check --protocol aim22-s7 --manifest manifest.json --submission submission.zip
  python -m scoring check --protocol aim22-s7 --reference val_gt/ --submission submission.zip --json -"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_protocol(parser)
    expected = parser.add_mutually_exclusive_group(required=True)
    expected.add_argument("--reference", type=Path, metavar="DIR_OR_ZIP", help="the reference set")
    expected.add_argument("--manifest", type=Path, metavar="FILE.json", help="the phase's public manifest")
    parser.add_argument("--submission", type=Path, required=True, metavar="ZIP", help="the archive")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    protocol = find_protocol(options.protocol)
    submission: Path = options.submission
    manifest = _expected_manifest(options, protocol)
    report = check_archive(submission, manifest, protocol, name=submission.name)
    write_json(
        options,
        report_json(protocol.name, factsheet=report.factsheet, warnings=report.warnings, errors=report.errors),
    )
    if report.ok and is_for_people(options):
        count = len(manifest.files)
        print(f"{submission.name}: the form is right, with all {count} images of {protocol.title}.")
        print("Values and checksums are checked when it is scored.")
    print_problems(submission.name, report.errors, report.warnings)
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
