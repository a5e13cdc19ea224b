"""Scoring an archive against a reference set: check first, then image by image."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from scoring.archive import DEFAULT_LIMITS, ArchiveError, Limits, ZipArchive
from scoring.check import inspect
from scoring.metrics import METRICS
from scoring.npy import PREFIX_BYTES, decode_array, parse_header
from scoring.problems import Problem, SubmissionRejected, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from scoring.archive import Entry
    from scoring.check import CheckReport
    from scoring.factsheet import FactSheet
    from scoring.protocol import Protocol
    from scoring.reference import Reference

MAX_LISTED_VALUE_ERRORS = 100
LARGEST_8_BIT = 255


@dataclass(frozen=True)
class ImageScore:
    """The metrics of one image, by their keys."""

    name: str
    values: dict[str, float]


@dataclass(frozen=True)
class ScoreReport:
    """The metrics of a submission (arithmetic means over its images) and of every image, unrounded."""

    protocol: str
    metrics: dict[str, float]
    images: tuple[ImageScore, ...]
    factsheet: FactSheet | None
    warnings: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        return report_json(
            self.protocol,
            metrics=self.metrics,
            images=self.images,
            factsheet=self.factsheet,
            warnings=self.warnings,
        )


def report_json(
    protocol: str,
    *,
    metrics: dict[str, float] | None = None,
    images: Sequence[ImageScore] = (),
    factsheet: FactSheet | None = None,
    warnings: Sequence[Problem] = (),
    errors: Sequence[Problem] = (),
) -> dict[str, Any]:
    """The JSON of a scoring or a check, whether the submission was accepted or not."""
    return {
        "protocol": protocol,
        "metrics": dict(metrics or {}),
        "images": [{"name": image.name, **image.values} for image in images],
        "factsheet": factsheet.to_json() if factsheet is not None else None,
        "warnings": [warning.to_json() for warning in warnings],
        "errors": [error.to_json() for error in errors],
    }


def score_archive(
    archive: Path | BinaryIO,
    reference: Reference,
    protocol: Protocol,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    name: str | None = None,
) -> ScoreReport:
    """Score an archive; memory does not grow with the number of images.

    Parameters
    ----------
    archive
        A path, or a binary file that can seek.
    on_progress
        Called with the number of images done and of all after every image. What it raises ends the scoring and
        propagates.
    name
        What messages call the archive, such as the name it was uploaded under; by default "The archive".

    Raises
    ------
    SubmissionRejected
        The archive is at fault: with all structural errors before anything is scored, or with the errors in the
        values (of which at most 100 are listed) after all images were read.
    ReferenceInvalid
        A reference image is damaged.
    OSError
        A file cannot be read.
    """
    try:
        with ZipArchive(archive, limits=limits, name=name) as opened:
            report = inspect(opened, reference.manifest(), protocol)
            if not report.ok:
                raise SubmissionRejected(report.errors, report.warnings, report.factsheet)
            return _Scoring(opened, report, reference, protocol).run(on_progress)
    except ArchiveError as error:
        raise SubmissionRejected([error.problem]) from error


@dataclass
class _Scoring:
    """One run over the images of an archive whose form is right."""

    archive: ZipArchive
    checked: CheckReport
    reference: Reference
    protocol: Protocol
    errors: list[Problem] = field(default_factory=list)
    images: list[ImageScore] = field(default_factory=list)
    zero: list[str] = field(default_factory=list)
    largest: int = 0

    def run(self, on_progress: Callable[[int, int], None] | None) -> ScoreReport:
        names = self.reference.names
        for done, name in enumerate(names, start=1):
            self._take(name)
            if on_progress is not None:
                on_progress(done, len(names))
        warnings = [*self.checked.warnings, *self._odd_values()]
        if self.errors:
            raise SubmissionRejected(self._listed_errors(), warnings, self.checked.factsheet)
        return ScoreReport(
            protocol=self.protocol.name,
            metrics={
                key: math.fsum(image.values[key] for image in self.images) / len(self.images)
                for key in self.protocol.metrics
            },
            images=tuple(self.images),
            factsheet=self.checked.factsheet,
            warnings=tuple(warnings),
        )

    def _take(self, name: str) -> None:
        """Read one image, and score it as long as no image was at fault."""
        entry = self.checked.members[name]
        try:
            submitted = self._read(entry)
        except ArchiveError as error:
            self.errors.append(error.problem)
            return
        largest = int(submitted.max())
        if largest > self.protocol.max_value:
            self.errors.append(self._above_max(entry, largest))
        self.largest = max(self.largest, largest)
        if largest == 0:
            self.zero.append(entry.path)
        if not self.errors:
            truth = self.reference.load(name)
            data_range = self.protocol.level_scale
            values = {key: METRICS[key](truth, submitted, data_range=data_range) for key in self.protocol.metrics}
            self.images.append(ImageScore(name, values))

    def _read(self, entry: Entry) -> NDArray[np.uint16]:
        """An image whose header was checked; the whole of it is read at once, as it is small."""
        data = self.archive.read(entry)
        return decode_array(data, parse_header(data[:PREFIX_BYTES]))

    def _above_max(self, entry: Entry, largest: int) -> Problem:
        return problem(
            "value-above-max",
            file=entry.path,
            actual=largest,
            limit=self.protocol.max_value,
            white_level=self.protocol.white_level,
            expected=self.protocol.dtype,
        )

    def _listed_errors(self) -> list[Problem]:
        if len(self.errors) <= MAX_LISTED_VALUE_ERRORS:
            return self.errors
        count = len(self.errors) - MAX_LISTED_VALUE_ERRORS
        return [*self.errors[:MAX_LISTED_VALUE_ERRORS], self.archive.fault("more-problems", count=count)]

    def _odd_values(self) -> list[Problem]:
        """Warnings about values that are legal and yet hardly what was meant."""
        white_level = self.protocol.white_level
        if self.zero:
            count = len(self.zero)
            return [problem("images-all-zero", file=self.zero[0], count=count, white_level=white_level)]
        if not self.errors and self.largest <= LARGEST_8_BIT < white_level:
            return [self.archive.fault("values-look-8-bit", white_level=white_level)]
        return []
