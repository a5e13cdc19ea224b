"""Reading .npy files that strangers sent: a strict grammar for the header, no eval, no pickle.

The format is that of ``numpy.lib.format``: magic, version, length, a Python dict literal with the keys ``descr``,
``fortran_order`` and ``shape``, then the raw values.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.catalogue import DETAILS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
# As much as numpy itself reads without being asked to; an ordinary header takes 128 bytes.
MAX_HEADER_BYTES = 10_000
# Magic, version, the longer of the two length fields, header: enough of any file for parse_header.
PREFIX_BYTES = len(MAGIC) + 2 + 4 + MAX_HEADER_BYTES
MAX_DIMENSIONS = 32

_BLANK = r"[ \t\r\n]*"
_PAIR = re.compile(
    rf"""{_BLANK}(?P<quote>['"])(?P<key>[a-z_]+)(?P=quote){_BLANK}:{_BLANK}
    (?: (?P<open>['"])(?P<text>[^'"\\]*)(?P=open)
      | (?P<flag>True|False)
      | \((?P<tuple>[0-9, ]*)\)
      | (?P<fields>\[[^\[\]]*\])
    ){_BLANK}(?:,{_BLANK}(?P<last>\}})?|(?P<end>\}}))""",
    re.VERBOSE,
)
_SIDE = re.compile(r"[0-9]{1,18}")
_NUMBER_DESCR = re.compile(r"[<>|=]?(?:\?|[biufc][0-9]{1,2})")
_OBJECT_DESCR = re.compile(r"\|?O[0-9]?")


class NpyError(ValueError):
    """A file that is not a readable .npy: a code of the catalogue and the values of its sentence."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(f"{code}: {values}")


@dataclass(frozen=True)
class NpyHeader:
    """The header of a .npy file.

    Attributes
    ----------
    dtype
        The type of its values, in their byte order; None where they are not plain numbers.
    descr
        The type as the file has it.
    data_offset
        Where the values begin, in bytes from the file's start.
    """

    dtype: np.dtype[Any] | None
    descr: str
    fortran_order: bool
    shape: tuple[int, ...]
    data_offset: int

    @property
    def is_pickled(self) -> bool:
        """Whether reading the array would mean unpickling."""
        return bool(_OBJECT_DESCR.fullmatch(self.descr))

    @property
    def dtype_name(self) -> str:
        """The type for people, without its byte order, which does not matter to them."""
        return self.dtype.name if self.dtype is not None else self.descr

    @property
    def data_bytes(self) -> int | None:
        """Size of the values in bytes; None where they are not plain numbers."""
        return None if self.dtype is None else math.prod(self.shape) * self.dtype.itemsize


def parse_header(start: bytes) -> NpyHeader:
    """Read the header from the first ``PREFIX_BYTES`` bytes of a file, or from all of a shorter one.

    Raises
    ------
    NpyError
        ``npy-malformed`` or ``npy-header-too-long``.
    """
    if start[: len(MAGIC)] != MAGIC:
        raise _malformed(DETAILS["npy-signature"])
    version = start[len(MAGIC) : len(MAGIC) + 2]
    if version not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise _malformed(DETAILS["npy-version"])
    text_at = len(MAGIC) + 2 + (2 if version == b"\x01\x00" else 4)
    header_bytes = int.from_bytes(start[len(MAGIC) + 2 : text_at], "little")
    if header_bytes > MAX_HEADER_BYTES:
        raise NpyError("npy-header-too-long", size_bytes=header_bytes, limit_bytes=MAX_HEADER_BYTES)
    data_offset = text_at + header_bytes
    if len(start) < data_offset:
        raise _malformed(DETAILS["npy-ends-in-header"])
    values = _parse_dict(start[text_at:data_offset])
    descr, fortran_order, shape = (values[key] for key in ("descr", "fortran_order", "shape"))
    if not (isinstance(descr, str) and isinstance(fortran_order, bool) and isinstance(shape, tuple)):
        raise _malformed(DETAILS["npy-kind"])
    return NpyHeader(_number_dtype(descr), descr, fortran_order, shape, data_offset)


def decode_array(data: bytes, header: NpyHeader) -> NDArray[Any]:
    """Return the array of a whole file whose header was read: C order, native byte order, not writeable or a copy.

    Raises
    ------
    NpyError
        ``npy-wrong-length`` when the file does not hold just as many values as its header says, and
        ``pickled-array`` or ``npy-malformed`` when they are not plain numbers.
    """
    if header.dtype is None or header.data_bytes is None:
        raise NpyError("pickled-array") if header.is_pickled else _malformed("it holds no plain numbers")
    held = len(data) - header.data_offset
    if held != header.data_bytes:
        raise NpyError("npy-wrong-length", actual_bytes=held, announced_bytes=header.data_bytes)
    flat = np.frombuffer(data, dtype=header.dtype, offset=header.data_offset)
    array = flat.reshape(header.shape, order="F" if header.fortran_order else "C")
    return np.ascontiguousarray(array, dtype=header.dtype.newbyteorder("="))


def _malformed(reason: str) -> NpyError:
    return NpyError("npy-malformed", reason=reason)


# The images of a set have one header, and each is read twice.
@lru_cache(maxsize=16)
def _parse_dict(text: bytes) -> dict[str, str | bool | tuple[int, ...]]:
    unreadable = _malformed(DETAILS["npy-header"])
    try:
        # numpy writes ASCII for every array of numbers
        literal = text.decode("ascii").strip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise unreadable from error
    values: dict[str, str | bool | tuple[int, ...]] = {}
    at = 1
    closed = False
    while not closed:
        pair = _PAIR.match(literal, at)
        if literal[:1] != "{" or pair is None or pair["key"] in values:
            raise unreadable
        values[pair["key"]] = _parse_value(pair, unreadable)
        at = pair.end()
        closed = bool(pair["last"] or pair["end"])
    if at != len(literal) or values.keys() != {"descr", "fortran_order", "shape"}:
        raise unreadable
    return values


def _parse_value(pair: re.Match[str], unreadable: NpyError) -> str | bool | tuple[int, ...]:
    if pair["flag"]:
        return pair["flag"] == "True"
    if pair["tuple"] is not None:
        return _parse_tuple(pair["tuple"], unreadable)
    # A list of fields is a structured type: its text is enough to say that it is not expected.
    return pair["fields"] or pair["text"]


def _parse_tuple(text: str, unreadable: NpyError) -> tuple[int, ...]:
    """Return the numbers between commas; split by hand, as a pattern for it can take quadratic time on blanks."""
    *sides, last = (side.strip(" ") for side in text.split(","))
    # One number needs a comma to be a tuple, and several may have one at the end.
    if last:
        if not sides:
            raise unreadable
        sides.append(last)
    if len(sides) > MAX_DIMENSIONS or not all(_SIDE.fullmatch(side) for side in sides):
        raise unreadable
    return tuple(int(side) for side in sides)


def _number_dtype(descr: str) -> np.dtype[Any] | None:
    if not _NUMBER_DESCR.fullmatch(descr):
        return None
    try:
        return np.dtype(descr)
    except TypeError as error:  # a size that does not exist, such as u3
        raise _malformed(DETAILS["npy-type"]) from error
