"""Images as they come in a file of a protocol's container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoring.archive import ArchiveError
from scoring.npy import PREFIX_BYTES, NpyError, decode_array, parse_header
from scoring.problems import problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scoring.manifest import FileSpec
    from scoring.protocol import Protocol


@dataclass(frozen=True)
class Decoded:
    """An image's values, and the level its file says is white (None where the container has no place for one)."""

    pixels: NDArray[Any]
    max_val: float | None = None


def decode(data: bytes, spec: FileSpec, protocol: Protocol, *, file: str) -> Decoded:
    """The image of a whole file whose header was checked; ArchiveError where it cannot be read."""
    try:
        return Decoded(decode_array(data, parse_header(data[:PREFIX_BYTES])))
    except NpyError as error:
        values = {"expected": protocol.array_label, **error.values}
        raise ArchiveError(problem(error.code, file=file, **values)) from error
