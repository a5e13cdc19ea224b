"""``score``: the scores of a submission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scoring.commands.common import (
    OK,
    SUBMISSION_AT_FAULT,
    add_json,
    add_protocol,
    add_reference,
    is_for_people,
    print_problems,
    write_json,
)
from scoring.commands.progress import progress
from scoring.commands.table import figure, format_table, heading
from scoring.engine import score_archive
from scoring.problems import SubmissionRejected
from scoring.protocol import find_protocol
from scoring.reference import Reference
from scoring.report import report_json

if TYPE_CHECKING:
    import argparse

    from scoring.protocol import Column, Protocol
    from scoring.report import ScoreReport

DESCRIPTION = """\
Score a submission against a reference set, by the formulas and in the order of its protocol.

The archive is checked first; one that is not as it must be is not scored, and everything that is wrong with it is
listed. Nothing is unpacked to disk. Of many images the table shows the lowest and highest and the mean over all; the
JSON holds every image, unrounded."""
EXAMPLES = """\
  python -m scoring score --protocol aim22-s7 --reference val_gt/ --submission submission.zip
  python -m scoring score --protocol aim22-s7 --reference val_gt.zip --submission submission.zip --json scores.json
  python -m scoring score … --json - | jq .metrics.psnr"""

# More images than this are shown by their extremes.
_MOST_ROWS = 24
_EXTREMES = 5


def configure(parser: argparse.ArgumentParser) -> None:
    add_protocol(parser)
    add_reference(parser)
    parser.add_argument("--submission", type=Path, required=True, metavar="ZIP", help="the archive")
    parser.add_argument("--all", action="store_true", help="show every image, however many there are")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    protocol = find_protocol(options.protocol)
    submission: Path = options.submission
    try:
        with Reference.open(options.reference, protocol) as reference, progress(submission.name) as on_progress:
            report = score_archive(
                submission, reference, protocol, name=submission.name, on_progress=on_progress, jobs=None
            )
    except SubmissionRejected as rejection:
        errors, warnings, factsheet = rejection.errors, rejection.warnings, rejection.factsheet
        write_json(options, report_json(protocol.name, factsheet=factsheet, warnings=warnings, errors=errors))
        print_problems(submission.name, errors, warnings)
        return SUBMISSION_AT_FAULT
    write_json(options, report.to_json())
    if is_for_people(options):
        print(score_table(report, protocol, show_all=options.all))
    print_problems(submission.name, [], report.warnings)
    return OK


def score_table(report: ScoreReport, protocol: Protocol, *, show_all: bool = False) -> str:
    """Return the images and the submission's own scores, in the protocol's order of columns and its precision."""
    columns = protocol.columns
    by_image = [column for column in columns if column.key in report.images[0].values]
    rows = [[image.name, *_cells(image.values, columns)] for image in report.images]
    rules = [len(rows)]
    if len(rows) > _MOST_ROWS and by_image and not show_all:
        ordered = sorted(report.images, key=lambda image: image.values[by_image[0].key])
        kept = [*ordered[:_EXTREMES], *ordered[-_EXTREMES:]]
        rows = [[image.name, *_cells(image.values, columns)] for image in kept]
        rows.insert(_EXTREMES, [f"… {len(ordered) - len(kept)} more", *("" for _ in columns)])
        rules = [len(rows)]
    rows.append(["mean", *_cells(report.metrics, columns)])
    return format_table(["image", *map(heading, columns)], rows, rule_before=rules)


def _cells(values: dict[str, float], columns: tuple[Column, ...]) -> list[str]:
    return [figure(values[column.key], column) if column.key in values else "" for column in columns]
