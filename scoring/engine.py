"""Scoring an archive against a reference set: check first, then image by image."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from scoring.archive import DEFAULT_LIMITS, ArchiveError, Limits, ZipArchive
from scoring.check import inspect
from scoring.columns import summarise
from scoring.images import decode, level_fault
from scoring.metrics import fast
from scoring.pipeline import in_order, usable_cores
from scoring.problems import Problem, ReferenceInvalid, SubmissionRejected, problem
from scoring.report import NO_TILES, Arithmetic, ImageScore, ScoreReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from scoring.cache import CachedReference, ReferenceCache
    from scoring.check import CheckReport
    from scoring.images import Decoded
    from scoring.manifest import FileSpec
    from scoring.protocol import Protocol
    from scoring.reference import Reference

MAX_LISTED_VALUE_ERRORS = 100
LARGEST_8_BIT = 255


def score_archive(
    archive: Path | BinaryIO,
    reference: Reference,
    protocol: Protocol,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    name: str | None = None,
    jobs: int | None = 1,
    cache: ReferenceCache | None = None,
) -> ScoreReport:
    """Score an archive; memory does not grow with the number of images.

    Parameters
    ----------
    archive
        A path, or a binary file that can seek.
    on_progress
        Called with the number of images done and of all after every image. An exception of it ends the
        scoring and propagates.
    name
        The archive's name in messages, such as the one it was uploaded under; by default "The archive".
    jobs
        How many images are worked on at once; None for as many as there are cores.
    cache
        Where decoded references are kept for the next submission.

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
            expected = reference.manifest()
            report = inspect(opened, expected, protocol)
            if not report.ok:
                raise SubmissionRejected(report.errors, report.warnings, report.factsheet)
            manifest = {spec.name: spec for spec in expected.files}
            kept = None if cache is None else cache.of(reference, protocol)
            scoring = _Scoring(opened, report, reference, protocol, manifest, kept)
            return scoring.run(on_progress, usable_cores() if jobs is None else jobs)
    except ArchiveError as error:
        raise SubmissionRejected([error.problem]) from error


@dataclass(frozen=True)
class _Outcome:
    """The outcome of one image: ``values`` is None where this image or an earlier one is at fault."""

    name: str
    path: str
    largest: int | None = None
    fault: Problem | None = None
    reference_fault: ReferenceInvalid | None = None
    values: dict[str, float] | None = None
    arithmetic: Arithmetic = NO_TILES


@dataclass
class _Scoring:
    """One run over the images of an archive whose form is right."""

    archive: ZipArchive
    checked: CheckReport
    reference: Reference
    protocol: Protocol
    manifest: Mapping[str, FileSpec]
    cached: CachedReference | None = None
    errors: list[Problem] = field(default_factory=list)
    images: list[ImageScore] = field(default_factory=list)
    zero: list[str] = field(default_factory=list)
    largest: int = 0
    arithmetic: Arithmetic = NO_TILES

    def run(self, on_progress: Callable[[int, int], None] | None, jobs: int) -> ScoreReport:
        names = self.reference.names
        with closing(in_order(self._score, names, jobs)) as outcomes:
            for done, outcome in enumerate(outcomes, start=1):
                self._take(outcome)
                if on_progress is not None:
                    on_progress(done, len(names))
        warnings = [*self.checked.warnings, *self._odd_values()]
        if self.errors:
            raise SubmissionRejected(self._listed_errors(), warnings, self.checked.factsheet)
        private_info = self.reference.private_info()
        summary = summarise(self.protocol, self.images, self.checked.factsheet, private_info, archive=self.archive.name)
        return ScoreReport(
            protocol=self.protocol.name,
            metrics=summary.metrics,
            images=tuple(self.images),
            factsheet=self.checked.factsheet,
            warnings=(*warnings, *summary.warnings),
            eligible=summary.eligible,
            operands=summary.operands,
            arithmetic=self.arithmetic,
        )

    def _take(self, outcome: _Outcome) -> None:
        """Enter an image's outcome; always in the caller's thread, and in the order of the images."""
        if outcome.fault is not None:
            self.errors.append(outcome.fault)
        if outcome.largest is not None:
            self.largest = max(self.largest, outcome.largest)
            if outcome.largest == 0:
                self.zero.append(outcome.path)
        if not self.errors:
            if outcome.reference_fault is not None:
                raise outcome.reference_fault
            self.images.append(ImageScore(outcome.name, outcome.values or {}))
            self.arithmetic = Arithmetic(*map(sum, zip(self.arithmetic, outcome.arithmetic, strict=True)))

    def _score(self, name: str) -> _Outcome:
        """Read one image, and score it as long as no image was at fault; maybe in a thread of its own."""
        entry = self.checked.members[name]
        path = entry.path
        try:
            data, limits = self.archive.read(entry), self.archive.limits
            submitted = decode(data, self.manifest[name], self.protocol, file=path, limits=limits)
        except ArchiveError as error:
            return _Outcome(name, path, fault=error.problem)
        largest = int(submitted.pixels.max())
        if largest > self.protocol.largest_value(submitted.max_val):
            return _Outcome(name, path, largest, self._above_max(path, largest, submitted))
        if self.errors:
            return _Outcome(name, path, largest)
        try:
            truth = self._truth(name)
        except ReferenceInvalid as error:
            return _Outcome(name, path, largest, reference_fault=error)
        if (fault := level_fault(submitted, truth, file=path)) is not None:
            return _Outcome(name, path, largest, fault)
        measured = self._measure_all(truth, submitted)
        values = {key: one.value for key, one in measured.items()}
        arithmetic = Arithmetic(
            sum(one.tiles for one in measured.values()), sum(one.float32_tiles for one in measured.values())
        )
        return _Outcome(name, path, largest, values=values, arithmetic=arithmetic)

    def _truth(self, name: str) -> Decoded:
        return self.reference.decode(name) if self.cached is None else self.cached.decode(name)

    def _measure_all(self, truth: Decoded, submitted: Decoded) -> dict[str, fast.Measured]:
        data_range = self.protocol.data_range(truth.max_val)
        return {key: self._measure(key, truth.pixels, submitted.pixels, data_range) for key in self.protocol.metrics}

    def _measure(self, key: str, truth: NDArray[Any], submitted: NDArray[Any], data_range: float) -> fast.Measured:
        settings = self.protocol.settings_of(key)
        if settings.channel is None:
            parameters = dict(settings.parameters)
            measured = fast.measure(settings.metric, truth, submitted, data_range=data_range, **parameters)
            if measured is not None:
                return measured
        return fast.Measured(self.protocol.measure(key, truth, submitted, data_range=data_range))

    def _above_max(self, path: str, largest: int, submitted: Decoded) -> Problem:
        return problem(
            "value-above-max",
            file=path,
            actual=largest,
            limit=self.protocol.largest_value(submitted.max_val),
            white_level=self.protocol.white_level,
            expected=self.protocol.dtype,
        )

    def _listed_errors(self) -> list[Problem]:
        if len(self.errors) <= MAX_LISTED_VALUE_ERRORS:
            return self.errors
        count = len(self.errors) - MAX_LISTED_VALUE_ERRORS
        return [*self.errors[:MAX_LISTED_VALUE_ERRORS], self.archive.fault("more-problems", count=count)]

    def _odd_values(self) -> list[Problem]:
        """Return warnings about values that are legal and yet hardly intended."""
        white_level = self.protocol.white_level
        if self.zero:
            count = len(self.zero)
            return [problem("images-all-zero", file=self.zero[0], count=count, white_level=white_level)]
        if not self.errors and self.largest <= LARGEST_8_BIT < white_level:
            return [self.archive.fault("values-look-8-bit", white_level=white_level)]
        return []
