"""``compare``: which of two submissions is better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoring.commands.common import (
    OK,
    SUBMISSION_AT_FAULT,
    CommandError,
    add_json,
    add_protocol,
    add_reference,
    is_for_people,
    print_problems,
    write_json,
)
from scoring.commands.progress import progress
from scoring.commands.table import figure, format_table, heading
from scoring.compare import Comparison, compare_reports
from scoring.engine import score_archive
from scoring.problems import SubmissionRejected
from scoring.protocol import find_protocol
from scoring.reference import Reference
from scoring.statistics import PairedDifference, TooFewUnits

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scoring.compare import ColumnComparison
    from scoring.protocol import Protocol
    from scoring.report import ScoreReport

DESCRIPTION = """\
Score two submissions against the same reference set and tell which is better, by how much, and whether the difference
is more than chance.

Tiles of one photo are alike, so it is photos that count: the test flips the signs of the photos' differences (all
flips of up to 13 photos, 4,096 of more). The interval holds the true difference with 95 % probability. Each column's
p-value is corrected for the number of columns (Holm); a difference is called real where it is at most 0.05. Fewer
than six photos allow no statement, and the table says so. Of the images, those that differ most in the first column
are shown."""
EXAMPLES = """\
  python -m scoring compare old.zip new.zip --protocol aim22-s7 --reference val_gt/
  python -m scoring compare old.zip new.zip --protocol aim22-s7 --reference val_gt.zip --images 20
  python -m scoring compare old.zip new.zip --protocol aim22-p20 --reference val_gt/ --json - | jq .columns[0]"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="A.zip", help="one submission")
    parser.add_argument("second", type=Path, metavar="B.zip", help="the other")
    add_protocol(parser)
    add_reference(parser)
    text = "how many of the images that differ most to show (default: 5)"
    parser.add_argument("--images", type=int, default=5, metavar="N", help=text)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    protocol = find_protocol(options.protocol)
    paths: list[Path] = [options.first, options.second]
    names = _labels(paths)
    outcomes: list[ScoreReport | SubmissionRejected] = []
    with Reference.open(options.reference, protocol) as reference:
        for path, name in zip(paths, names, strict=True):
            outcomes.append(_score(path, name, reference, protocol))
    data: dict[str, Any] = {
        "protocol": protocol.name,
        "submissions": [_outcome_json(name, outcome) for name, outcome in zip(names, outcomes, strict=True)],
        "units": None,
        "unit": None,
        "columns": [],
        "images": [],
    }
    first, second = outcomes
    if isinstance(first, SubmissionRejected) or isinstance(second, SubmissionRejected):
        write_json(options, data)
        _print_all_problems(names, outcomes)
        return SUBMISSION_AT_FAULT
    try:
        comparison = compare_reports(first, second, protocol)
    except ValueError as error:
        raise CommandError(str(error)) from error
    write_json(options, {**data, **comparison.to_json()})
    if is_for_people(options):
        print(comparison_text(comparison, names, options.images))
    _print_all_problems(names, outcomes)
    return OK


def comparison_text(comparison: Comparison, names: Sequence[str], most_images: int) -> str:
    """Return the columns, a sentence about each, and the images that differ most."""
    count, kind = comparison.units, comparison.unit_kind
    parts = [
        f"A  {names[0]}\nB  {names[1]}",
        _column_table(comparison.columns),
        "\n".join(_sentence(column, names) for column in comparison.columns),
        f"Independent units: {count} {kind}{'s' * (count != 1)}. "
        "Intervals: 95 %. p-values: sign flips, Holm's correction.",
    ]
    if comparison.left_out:
        parts.append(f"Not compared, as they have no value for each image: {', '.join(comparison.left_out)}.")
    if most_images > 0:
        parts.append("Where they differ most:\n\n" + _image_table(comparison, most_images))
    return "\n\n".join(parts)


def _column_table(columns: Sequence[ColumnComparison]) -> str:
    rows = []
    for compared in columns:
        column, result = compared.column, compared.result
        interval, p = "–", "–"
        if isinstance(result, PairedDifference) and compared.p_adjusted is not None:
            interval = f"{figure(result.low, column, sign=True)} … {figure(result.high, column, sign=True)}"
            p = f"{compared.p_adjusted:.2g}"
        scores = [figure(value, column) for value in (compared.first, compared.second)]
        rows.append([heading(column), *scores, figure(compared.difference, column, sign=True), interval, p])
    return format_table(["", "A", "B", "A − B", "interval", "p"], rows)


def _sentence(compared: ColumnComparison, names: Sequence[str]) -> str:
    column, result = compared.column, compared.result
    if compared.verdict == "equal":
        return f"{column.label}: the same score."
    if isinstance(result, TooFewUnits):
        return f"{column.label}: whether the difference is real cannot be said. {result.sentence}"
    if compared.verdict == "undecided":
        return f"{column.label}: the difference may be chance."
    letter, name = ("A", names[0]) if compared.verdict == "first" else ("B", names[1])
    unit = f" {column.unit}" if column.unit else ""
    return f"{column.label}: {letter} ({name}) is better, by {figure(abs(compared.difference), column)}{unit}."


def _image_table(comparison: Comparison, most: int) -> str:
    columns = [compared.column for compared in comparison.columns]
    head = ["image"]
    for column in columns:
        head += [f"{heading(column)} A", "B", "A − B"]
    rows = []
    for image in comparison.images[:most]:
        row = [image.name]
        for column in columns:
            row += [figure(values[column.key], column) for values in (image.first, image.second)]
            row.append(figure(image.of(column.key), column, sign=True))
        rows.append(row)
    return format_table(head, rows)


def _labels(paths: Sequence[Path]) -> list[str]:
    """Return labels for the two: their names, unless they have the same."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _score(path: Path, name: str, reference: Reference, protocol: Protocol) -> ScoreReport | SubmissionRejected:
    try:
        with progress(name) as on_progress:
            return score_archive(path, reference, protocol, name=name, on_progress=on_progress, jobs=None)
    except SubmissionRejected as rejection:
        return rejection


def _outcome_json(name: str, outcome: ScoreReport | SubmissionRejected) -> dict[str, Any]:
    if isinstance(outcome, SubmissionRejected):
        metrics, errors = {}, outcome.errors
    else:
        metrics, errors = outcome.metrics, []
    return {
        "name": name,
        "metrics": metrics,
        "warnings": [warning.to_json() for warning in outcome.warnings],
        "errors": [error.to_json() for error in errors],
    }


def _print_all_problems(names: Sequence[str], outcomes: Sequence[ScoreReport | SubmissionRejected]) -> None:
    for name, outcome in zip(names, outcomes, strict=True):
        errors = outcome.errors if isinstance(outcome, SubmissionRejected) else []
        print_problems(name, errors, outcome.warnings)
