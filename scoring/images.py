"""Images as they come in a file of a protocol's container: .npy, .npz, PNG or JPEG."""

from __future__ import annotations

import io
import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoring.archive import DEFAULT_LIMITS, ArchiveError, Entry, Limits, ZipArchive
from scoring.catalogue import DETAILS
from scoring.npy import PREFIX_BYTES, NpyError, decode_array, parse_header
from scoring.pictures import OPEN_RGB, decode_picture, open_picture
from scoring.problems import Problem, problem
from scoring.shapes import fits, shape_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scoring.manifest import FileSpec
    from scoring.protocol import Protocol

RAW_MEMBER = "raw.npy"
MAX_VAL_MEMBER = "max_val.npy"
LARGEST_MAX_VAL = 65535.0


@dataclass(frozen=True)
class Decoded:
    """An image's values, and the level its file says is white (None where the container has no place for one)."""

    pixels: NDArray[Any]
    max_val: float | None = None


@dataclass(frozen=True)
class Npz:
    """A .npz whose directory and ``max_val`` were read: the archive, the entry of its image, and the level."""

    archive: ZipArchive
    raw: Entry
    max_val: float


def decode(data: bytes, spec: FileSpec, protocol: Protocol, *, file: str, limits: Limits = DEFAULT_LIMITS) -> Decoded:
    """Return the image of a whole file.

    Parameters
    ----------
    data
        The file's bytes.
    spec
        The expected type and shape; height and width may be left open.
    file
        The file's name in messages.

    Returns
    -------
    Decoded
        H×W×C in native byte order and C order, of the protocol's dtype and the shape of ``spec``.

    Raises
    ------
    ArchiveError
        The file is damaged, is not of the protocol's container, or its image does not match ``spec``.
    """
    if spec.container == "npy":
        decoded = Decoded(_array(data, protocol, file))
    elif spec.container == "npz":
        with open_npz(data, file=file, limits=limits) as npz, npz_faults(file):
            raw = npz.archive.read(npz.raw)
        decoded = Decoded(_array(raw, protocol, file), npz.max_val)
    else:
        decoded = Decoded(decode_picture(data, spec.container, spec.shape, file=file))
    _require(decoded.pixels, spec, protocol, file)
    return decoded


def read_header(
    data: bytes, container: str, *, file: str, limits: Limits = DEFAULT_LIMITS
) -> tuple[tuple[int, ...], str]:
    """Return shape and type of an image from its header; of a .npy the first ``PREFIX_BYTES`` bytes are enough.

    Raises
    ------
    ArchiveError
        It has no header that can be read.
    """
    if container in ("png", "jpg"):
        width, height = open_picture(data, container, OPEN_RGB, file=file).size
        return (height, width, 3), "uint8"
    if container == "npz":
        with open_npz(data, file=file, limits=limits) as npz, npz_faults(file):
            data = npz.archive.read_start(npz.raw, PREFIX_BYTES)
    try:
        header = parse_header(data[:PREFIX_BYTES])
    except NpyError as error:
        raise ArchiveError(problem(error.code, file=file, **error.values)) from error
    return header.shape, header.dtype_name


def level_fault(submitted: Decoded, reference: Decoded, *, file: str) -> Problem | None:
    """Return the problem of a submission that scales its image by another level than its input's.

    A challenge's references have the level of their inputs, which is public: the importer sees to it. The answer thus
    tells nothing about a hidden reference.
    """
    if submitted.max_val == reference.max_val:
        return None
    return problem("max-val-differs", file=file, actual=f"{submitted.max_val:g}")


@contextmanager
def open_npz(data: bytes, *, file: str, limits: Limits = DEFAULT_LIMITS) -> Iterator[Npz]:
    """Return a .npz as a zip within memory, held to the same bounds as the archive it came in.

    Raises
    ------
    ArchiveError
        ``npz-malformed`` or ``max-val-invalid``.
    """
    with npz_faults(file):
        archive = ZipArchive(io.BytesIO(data), limits=limits)
        faults = archive.bounds_exceeded() or archive.header_faults()
        if faults:
            raise ArchiveError(faults[0])
    if sorted(entry.path for entry in archive.entries) != [MAX_VAL_MEMBER, RAW_MEMBER]:
        raise _malformed(file, DETAILS["npz-members"])
    if not all(entry.is_supported and not entry.is_encrypted for entry in archive.entries):
        raise _malformed(file, DETAILS["npz-packing"])
    by_name = {entry.path: entry for entry in archive.entries}
    with npz_faults(file):
        max_val = _max_val(archive, by_name[MAX_VAL_MEMBER], file)
    yield Npz(archive, by_name[RAW_MEMBER], max_val)


@contextmanager
def npz_faults(file: str) -> Iterator[None]:
    """Re-raise a zip error inside an .npz as ``npz-malformed``."""
    try:
        yield
    except ArchiveError as error:
        if error.problem.code in {"max-val-invalid", "npz-malformed"}:
            raise
        raise _malformed(file, DETAILS["npz-zip"].format(code=error.problem.code)) from error


def _malformed(file: str, reason: str) -> ArchiveError:
    return ArchiveError(problem("npz-malformed", file=file, reason=reason))


def _max_val(archive: ZipArchive, entry: Entry, file: str) -> float:
    """Return the one number of ``max_val``: finite, positive, and no larger than 16 bits hold."""
    invalid = ArchiveError(problem("max-val-invalid", file=file))
    # A header and one number.
    if entry.size_bytes > PREFIX_BYTES:
        raise invalid
    data = archive.read(entry)
    try:
        header = parse_header(data[:PREFIX_BYTES])
        array = decode_array(data, header)
    except NpyError as error:
        raise invalid from error
    if array.size != 1 or array.dtype.kind not in "uif":
        raise invalid
    value = float(array.reshape(-1)[0])
    if not (math.isfinite(value) and 0 < value <= LARGEST_MAX_VAL):
        raise invalid
    return value


def _array(data: bytes, protocol: Protocol, file: str) -> NDArray[Any]:
    try:
        return decode_array(data, parse_header(data[:PREFIX_BYTES]))
    except NpyError as error:
        values = {"expected": protocol.array_label, **error.values}
        raise ArchiveError(problem(error.code, file=file, **values)) from error


def _require(pixels: NDArray[Any], spec: FileSpec, protocol: Protocol, file: str) -> None:
    if not fits(pixels.shape, spec.shape):
        expected = shape_label(spec.shape)
        raise ArchiveError(problem("wrong-shape", file=file, actual=f"{pixels.shape}", expected=expected))
    if pixels.dtype.name != spec.dtype:
        values = {"actual": pixels.dtype.name, "expected": spec.dtype, "white_level": protocol.white_level}
        raise ArchiveError(problem("wrong-dtype", file=file, **values))
