"""PNG and JPEG pictures that strangers sent: the header first, the pixels only where it is as expected."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from scoring.archive import ArchiveError
from scoring.problems import Problem, problem
from scoring.shapes import OPEN_SIDE, fits, shape_label

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODE = "RGB"
OPEN_RGB = (OPEN_SIDE, OPEN_SIDE, 3)
# More than any camera has; a file may not make the decoder ask for more memory than for these.
MAX_PIXELS = 1 << 26
_FORMATS = {"png": "PNG", "jpg": "JPEG"}
# In a PNG, behind the signature, the first chunk's length and name, width and height: bits of one channel, colour type.
_PNG_DEPTH_AT = 24
_PNG_RGB = (8, 2)
# Exceptions of Pillow's readers for files that are damaged in one way or another.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
)


def open_picture(data: bytes, container: str, shape: tuple[int, ...], *, file: str) -> Image.Image:
    """Return a picture whose header has the expected form; its pixels are not decoded yet.

    Parameters
    ----------
    data
        The whole file.
    container
        ``png`` or ``jpg``.
    shape
        Height, width and channels; 0 leaves one of them open.

    Raises
    ------
    ArchiveError
        ``picture-malformed``, ``wrong-picture-mode``, ``picture-too-large`` or ``wrong-shape``.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=[_FORMATS[container]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ArchiveError(problem("picture-too-large", file=file, limit=MAX_PIXELS)) from error
    except _DAMAGE as error:
        raise ArchiveError(_malformed(file, container)) from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ArchiveError(problem("picture-too-large", file=file, limit=MAX_PIXELS))
    if not fits((height, width, 3), shape):
        actual = f"{(height, width, 3)}"
        raise ArchiveError(problem("wrong-shape", file=file, actual=actual, expected=shape_label(shape)))
    # Pillow calls a PNG of 16 bits RGB, too, and would drop half of them.
    is_deep = container == "png" and tuple(data[_PNG_DEPTH_AT : _PNG_DEPTH_AT + 2]) != _PNG_RGB
    if picture.mode != MODE or is_deep:
        raise ArchiveError(problem("wrong-picture-mode", file=file))
    return picture


def decode_picture(data: bytes, container: str, shape: tuple[int, ...], *, file: str) -> NDArray[Any]:
    """Return the stored pixels of a picture, H×W×3 uint8: no profile, gamma or rotation that its metadata may ask for.

    Raises
    ------
    ArchiveError
        As :func:`open_picture`, and ``picture-malformed`` for pixels that are damaged or end too early.
    """
    picture = open_picture(data, container, shape, file=file)
    try:
        picture.load()
    except _DAMAGE as error:
        raise ArchiveError(_malformed(file, container)) from error
    return np.array(picture, dtype=np.uint8)


def _malformed(file: str, container: str) -> Problem:
    return problem("picture-malformed", file=file, format=_FORMATS[container])
