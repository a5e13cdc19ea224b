"""The check of an archive without scoring it: names, and every image's header."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from scoring.archive import DEFAULT_LIMITS, ArchiveError, Entry, Limits, ZipArchive
from scoring.factsheet import MAX_README_BYTES, FactSheet, parse_readme
from scoring.images import npz_faults, open_npz
from scoring.layout import arrange
from scoring.npy import PREFIX_BYTES, NpyError, NpyHeader, decode_array, parse_header
from scoring.pictures import open_picture
from scoring.problems import Problem, problem
from scoring.shapes import fits, shape_label

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from scoring.manifest import FileSpec, Manifest
    from scoring.protocol import Protocol

# Images of a wrong type whose values are read for a precise message; the others are only said to be wrong.
MAX_IMAGES_DIAGNOSED = 8
MAX_LISTED_ERRORS = 2_000


@dataclass
class CheckReport:
    """The result of a check; ``members`` are the entries by the stems of their images."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    factsheet: FactSheet | None = None
    members: dict[str, Entry] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.errors


def check_archive(
    archive: Path | BinaryIO,
    manifest: Manifest,
    protocol: Protocol,
    limits: Limits = DEFAULT_LIMITS,
    *,
    name: str | None = None,
) -> CheckReport:
    """Compare an archive's form with the manifest and the protocol.

    Reads the directory, every image's header and the readme, and, of at most eight images of a wrong type, the
    values; nothing is unpacked to disk. A value above the maximum and a wrong checksum are found by scoring only.

    Parameters
    ----------
    archive
        A path, or a binary file that can seek.
    name
        The archive's name in messages, such as the one it was uploaded under; by default "The archive".

    Raises
    ------
    OSError
        The file cannot be read. A bad archive never raises.
    """
    try:
        with ZipArchive(archive, limits=limits, name=name) as opened:
            return inspect(opened, manifest, protocol)
    except ArchiveError as error:
        return CheckReport(errors=[error.problem])


def inspect(archive: ZipArchive, manifest: Manifest, protocol: Protocol) -> CheckReport:
    """Check an open archive as :func:`check_archive` does; it stays open."""
    # Nothing is inflated from an archive that announces too much, or two things at once.
    bounds = archive.bounds_exceeded() or archive.header_faults()
    layout = arrange(archive, manifest)
    report = CheckReport(bounds + layout.errors, layout.warnings, members=layout.members)
    if not bounds:
        if layout.readme is not None and _is_readable(layout.readme):
            report.factsheet = _read_factsheet(archive, layout.readme, report.warnings)
        images = _ImageCheck(archive, protocol)
        for spec in manifest.files:
            if spec.name in layout.members and _is_readable(layout.members[spec.name]):
                report.errors += images.check(layout.members[spec.name], spec)
    if len(report.errors) > MAX_LISTED_ERRORS:
        count = len(report.errors) - MAX_LISTED_ERRORS
        report.errors[MAX_LISTED_ERRORS:] = [archive.fault("more-problems", count=count)]
    return report


def _is_readable(entry: Entry) -> bool:
    """Return whether reading is worth a try; otherwise the layout has said why not."""
    return entry.is_supported and not entry.is_encrypted


def _read_factsheet(archive: ZipArchive, readme: Entry, warnings: list[Problem]) -> FactSheet | None:
    try:
        factsheet = parse_readme(archive.read_start(readme, MAX_README_BYTES))
    except ArchiveError:
        factsheet = FactSheet()
    warnings += factsheet_warnings(factsheet, readme.path)
    return factsheet


def factsheet_warnings(factsheet: FactSheet, file: str) -> list[Problem]:
    """Return a warning for each line that the readme of this name lacks."""
    if factsheet.is_empty():
        return [problem("readme-unreadable", file=file)]
    if factsheet.missing():
        return [problem("readme-incomplete", file=file, fields=", ".join(factsheet.missing()))]
    return []


@dataclass
class _ImageCheck:
    """Checks one image after the other, and counts those whose values it had to read."""

    archive: ZipArchive
    protocol: Protocol
    diagnosed: int = 0

    def check(self, entry: Entry, spec: FileSpec) -> list[Problem]:
        """Return the problems of one image that its header shows."""
        try:
            if spec.container == "npy":
                return self._check_npy(_Npy(entry.path, self.archive, entry), spec)
            # The others tell their shape only where they are read whole; their pixels stay packed.
            data = self.archive.read(entry)
            if spec.container == "npz":
                with (
                    open_npz(data, file=entry.path, limits=self.archive.limits) as npz,
                    npz_faults(entry.path),
                ):
                    return self._check_npy(_Npy(entry.path, npz.archive, npz.raw), spec)
            open_picture(data, spec.container, spec.shape, file=entry.path)
        except ArchiveError as error:
            return [error.problem]
        return []

    def _check_npy(self, npy: _Npy, spec: FileSpec) -> list[Problem]:
        try:
            header = parse_header(npy.archive.read_start(npy.entry, PREFIX_BYTES))
            return self._compare(npy, header, spec)
        except NpyError as error:
            return [self._problem(error.code, npy, **error.values)]

    def _compare(self, npy: _Npy, header: NpyHeader, spec: FileSpec) -> list[Problem]:
        if header.is_pickled:
            return [self._problem("pickled-array", npy)]
        limit_bytes = npy.archive.limits.max_entry_bytes
        if header.data_bytes is not None and header.data_bytes > limit_bytes:
            size_bytes = header.data_bytes
            return [self._problem("npy-claims-too-much", npy, size_bytes=size_bytes, limit_bytes=limit_bytes)]
        found = []
        has_shape = fits(header.shape, spec.shape)
        if not has_shape:
            expected = shape_label(spec.shape)
            found.append(self._problem("wrong-shape", npy, actual=f"{header.shape}", expected=expected))
        if header.dtype_name != spec.dtype:
            code = self._diagnose(npy, header) if has_shape else "wrong-dtype"
            found.append(self._problem(code, npy, actual=header.dtype_name, expected=spec.dtype))
        if not found and header.data_offset + (header.data_bytes or 0) != npy.entry.size_bytes:
            held = npy.entry.size_bytes - header.data_offset
            found.append(self._problem("npy-wrong-length", npy, actual_bytes=held, announced_bytes=header.data_bytes))
        return found

    def _diagnose(self, npy: _Npy, header: NpyHeader) -> str:
        """Return the code for an image of a wrong type, by its values unless too many were read already."""
        if header.dtype is None or header.dtype.kind not in "if" or self.diagnosed >= MAX_IMAGES_DIAGNOSED:
            return "wrong-dtype"
        self.diagnosed += 1
        return diagnose(decode_array(npy.archive.read(npy.entry), header))

    def _problem(self, code: str, npy: _Npy, **values: object) -> Problem:
        values = {
            "expected": self.protocol.array_label,
            "white_level": self.protocol.white_level,
            **values,
        }
        return problem(code, file=npy.label, **values)


@dataclass(frozen=True)
class _Npy:
    """A .npy file in a zip, which is the submission or a .npz within it; ``label`` is its name in messages."""

    label: str
    archive: ZipArchive
    entry: Entry


def diagnose(image: NDArray[Any]) -> str:
    """Guess from an image's values how it came to be of floats or signed integers.

    Returns
    -------
    str
        ``not-finite``, ``negative-values``, ``looks-normalised`` (above 0 and up to 1), or ``wrong-dtype``.
    """
    if not np.isfinite(image).all():
        return "not-finite"
    if image.min() < 0:
        return "negative-values"
    if image.dtype.kind == "f" and 0 < image.max() <= 1:
        return "looks-normalised"
    return "wrong-dtype"
