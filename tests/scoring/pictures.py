"""Files of the containers other than .npy, good and bad, made on the spot."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def npz_bytes(raw: NDArray[Any], max_val: Any = 4095, *, compressed: bool = False, **more: Any) -> bytes:
    """Return a .npz as numpy writes it."""
    buffer = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(buffer, raw=raw, max_val=max_val, **more)
    return buffer.getvalue()


def npz_of(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def picture_bytes(pixels: NDArray[Any], container: str = "png", *, mode: str | None = None, **options: Any) -> bytes:
    """Return a PNG or JPEG of the pixels, converted to a mode first."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    if mode is not None:
        picture = picture.convert(mode)
    picture.save(buffer, {"png": "PNG", "jpg": "JPEG"}[container], **options)
    return buffer.getvalue()


def png_of(width: int, height: int, *, depth: int = 8, colour_type: int = 2, data: bytes = b"") -> bytes:
    """Return a PNG with any header, and any packed data behind it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(data)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
