"""Good and bad submission archives, made on the spot. The site's tests use them, too.

``BAD_ARCHIVES`` has a builder for every error of the catalogue: it writes to ``path`` an archive that would be a
good submission of ``images`` but for that one error.
"""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.archive import DEFAULT_LIMITS
from scoring.check import MAX_LISTED_ERRORS
from scoring.npy import MAX_HEADER_BYTES

Images = Mapping[str, NDArray[Any]]
Builder = Callable[[Path, Images], Path]

README = (
    "runtime per frame [s] : 0.0036\n"
    "CPU[1] / GPU[0] : 0\n"
    "Extra Data [1] / No Extra Data [0] : 0\n"
    "Other description : a test\n"
)

_END = b"PK\x05\x06"
_CENTRAL = b"PK\x01\x02"
_CENTRAL_BYTES = 46
# Offsets of fields in a central directory record.
_FLAGS_AT = 8
_PACKED_SIZE_AT = 20
_SIZE_AT = 24
_NAME_LENGTH_AT = 28


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return a .npy file as numpy writes it; object arrays are pickled."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_with_header(header: str, pixels: bytes = b"", *, version: tuple[int, int] = (1, 0)) -> bytes:
    """Return a .npy file with any text for a header."""
    text = header.encode("latin-1")
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + pixels


def write_submission(
    path: Path,
    images: Images,
    *,
    readme: str | bytes | None = README,
    folder: str = "submission",
    extra: Mapping[str, bytes] | None = None,
    replace: Mapping[str, bytes] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """Write a submission, by default a good one.

    Parameters
    ----------
    readme
        Its text; None for a submission without one.
    folder
        The folder that everything lies in; empty for the top.
    extra
        More files, by their whole paths.
    replace
        Contents for some images' files, by their stems, in place of their arrays.
    """
    prefix = f"{folder}/" if folder else ""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for stem, array in images.items():
            archive.writestr(f"{prefix}{stem}.npy", (replace or {}).get(stem) or npy_bytes(array))
        if readme is not None:
            archive.writestr(f"{prefix}readme.txt", readme)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def edit_directory(path: Path, edit: Callable[[list[bytearray]], list[bytearray]]) -> Path:
    """Rewrite an archive's central directory, one record at a time, and leave everything else as it is."""
    data = path.read_bytes()
    end = data.rindex(_END)
    size, start = struct.unpack_from("<II", data, end + 12)
    records = []
    at = start
    while at < start + size:
        lengths = struct.unpack_from("<HHH", data, at + _NAME_LENGTH_AT)
        record_bytes = _CENTRAL_BYTES + sum(lengths)
        records.append(bytearray(data[at : at + record_bytes]))
        at += record_bytes
    records = edit(records)
    directory = b"".join(records)
    count = min(len(records), 0xFFFF)
    trailer = _END + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), start, 0)
    path.write_bytes(data[:start] + directory + trailer)
    return path


def announce(path: Path, field_at: int, value: int, *, record: int = 0) -> Path:
    """Make a directory record say something else in one of its 32-bit fields."""

    def edit(records: list[bytearray]) -> list[bytearray]:
        struct.pack_into("<I", records[record], field_at, value)
        return records

    return edit_directory(path, edit)


def _first(images: Images) -> str:
    return next(iter(images))


def _with_first(array: Callable[[NDArray[Any]], NDArray[Any]]) -> Builder:
    """Return a submission whose first image is changed."""

    def build(path: Path, images: Images) -> Path:
        stem = _first(images)
        return write_submission(path, {**images, stem: array(images[stem])})

    return build


def _with_first_file(content: Callable[[bytes], bytes]) -> Builder:
    """Return a submission whose first image's file is changed."""

    def build(path: Path, images: Images) -> Path:
        stem = _first(images)
        return write_submission(path, images, replace={stem: content(npy_bytes(images[stem]))})

    return build


def _with_extra(extra: Mapping[str, bytes]) -> Builder:
    return lambda path, images: write_submission(path, images, extra=extra)


def _renamed(rename: Callable[[str], str]) -> Builder:
    """Return a submission whose first image has another file name."""

    def build(path: Path, images: Images) -> Path:
        stem = _first(images)
        others = {name: array for name, array in images.items() if name != stem}
        extra = {f"submission/{rename(stem)}": npy_bytes(images[stem])}
        return write_submission(path, others, extra=extra)

    return build


def _written(content: bytes) -> Builder:
    def build(path: Path, images: Images) -> Path:
        path.write_bytes(content)
        return path

    return build


def truncated(path: Path, images: Images) -> Path:
    write_submission(path, images)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def damaged_directory(path: Path, images: Images) -> Path:
    def edit(records: list[bytearray]) -> list[bytearray]:
        records[-1][:4] = b"oops"
        return records

    return edit_directory(write_submission(path, images), edit)


def no_files(path: Path, images: Images) -> Path:
    return write_submission(path, {}, readme=None)


def encrypted(path: Path, images: Images) -> Path:
    """Mark every file as encrypted, as "zip -e" does."""

    def edit(records: list[bytearray]) -> list[bytearray]:
        for record in records:
            record[_FLAGS_AT] |= 1
        return records

    return edit_directory(write_submission(path, images), edit)


def too_many_entries(path: Path, images: Images) -> Path:
    return edit_directory(
        write_submission(path, images), lambda records: records[:1] * (DEFAULT_LIMITS.max_entries + 1)
    )


def entry_too_large(path: Path, images: Images) -> Path:
    return announce(write_submission(path, images), _SIZE_AT, DEFAULT_LIMITS.max_entry_bytes + 1)


def total_too_large(path: Path, images: Images) -> Path:
    """Make many files, each of which announces as much as it may."""
    count = DEFAULT_LIMITS.max_total_bytes // DEFAULT_LIMITS.max_entry_bytes + 1
    write_submission(path, images, extra={f"submission/notes{number}.txt": b"" for number in range(count)})

    def edit(records: list[bytearray]) -> list[bytearray]:
        for record in records[-count:]:
            struct.pack_into("<I", record, _SIZE_AT, DEFAULT_LIMITS.max_entry_bytes)
        return records

    return edit_directory(path, edit)


def bomb(path: Path, images: Images) -> Path:
    """Return a file of zeros that is packed about a thousand times smaller, as far as deflate goes."""
    return write_submission(path, images, extra={"submission/zeros.txt": bytes(DEFAULT_LIMITS.ratio_from_bytes + 1)})


def overlapping(path: Path, images: Images) -> Path:
    """Return a directory whose records all point to the same packed bytes."""
    return edit_directory(write_submission(path, images), lambda records: records[:1] * 100 + records)


def symlink(path: Path, images: Images) -> Path:
    stem = _first(images)
    others = {name: array for name, array in images.items() if name != stem}
    write_submission(path, others)
    link = zipfile.ZipInfo(f"submission/{stem}.npy")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    return path


def several_folders(path: Path, images: Images) -> Path:
    stem = _first(images)
    others = {name: array for name, array in images.items() if name != stem}
    return write_submission(path, others, extra={f"more/{stem}.npy": npy_bytes(images[stem])})


def nested_folder(path: Path, images: Images) -> Path:
    return write_submission(path, images, folder="results/submission")


def nested_archive(path: Path, images: Images) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for stem, array in images.items():
            archive.writestr(f"{stem}.npy", npy_bytes(array))
    return write_submission(path, {}, extra={"submission/submission.zip": inner.getvalue()})


def missing_image(path: Path, images: Images) -> Path:
    return write_submission(path, dict(list(images.items())[1:]))


def image_twice(path: Path, images: Images) -> Path:
    """Return the same path twice, which zip allows."""
    stem = _first(images)
    with warnings.catch_warnings(action="ignore"):  # zipfile's, about the name
        return write_submission(path, images, extra={f"submission/{stem}.npy": npy_bytes(images[stem])})


def damaged_entry(path: Path, images: Images) -> Path:
    """Put packed data that is no deflate stream into the first image."""
    write_submission(path, images)
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[0]
    data = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len(info.filename)
    data[start : start + 16] = b"\xff" * 16
    path.write_bytes(data)
    return path


def wrong_checksum(path: Path, images: Images) -> Path:
    """Change the last value of the first image, stored unpacked, so that its checksum is wrong."""
    write_submission(path, images, compression=zipfile.ZIP_STORED)
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[0]
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(info.filename) + info.file_size - 2] ^= 1
    path.write_bytes(data)
    return path


def contradicted(path: Path, images: Images) -> Path:
    """Let the first image's own header name another one: for programs that read no table of contents."""
    write_submission(path, images)
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[0]
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len("submission/")] ^= 1
    path.write_bytes(data)
    return path


def more_problems(path: Path, images: Images) -> Path:
    surplus = {f"submission/surplus{number}.npy": b"" for number in range(MAX_LISTED_ERRORS + 1)}
    return write_submission(path, images, extra=surplus)


def _pickled(image: NDArray[Any]) -> NDArray[Any]:
    objects = np.empty(2, dtype=object)
    objects[:] = [image.tolist(), None]
    return objects


def _with_nan(image: NDArray[Any]) -> NDArray[Any]:
    changed = image.astype(np.float32)
    changed[0, 0, 0] = np.nan
    return changed


def _with_value(value: int, dtype: type[np.generic]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def change(image: NDArray[Any]) -> NDArray[Any]:
        changed = image.astype(dtype)
        changed[0, 0, 0] = value
        return changed

    return change


# Errors of containers other than .npy: see test_images.py.
OF_OTHER_CONTAINERS = frozenset(
    {
        "npz-malformed",
        "max-val-invalid",
        "max-val-differs",
        "picture-malformed",
        "picture-too-large",
        "wrong-picture-mode",
    }
)

# These two are seen only when the pixels are read, that is by scoring.
FOUND_BY_SCORING_ONLY = frozenset({"crc-mismatch", "value-above-max"})

BAD_ARCHIVES: dict[str, Builder] = {
    "archive-empty": _written(b""),
    "archive-not-zip": _written(b"Dear organisers, please find our results attached."),
    "archive-truncated": truncated,
    "archive-damaged": damaged_directory,
    "archive-no-files": no_files,
    "archive-encrypted": encrypted,
    "unsupported-compression": lambda path, images: write_submission(path, images, compression=zipfile.ZIP_LZMA),
    "too-many-entries": too_many_entries,
    "entry-too-large": entry_too_large,
    "total-too-large": total_too_large,
    "compression-ratio": bomb,
    "overlapping-entries": overlapping,
    "entry-contradicted": contradicted,
    "names-collide": _with_extra({"submission/Notes.txt": b"", "submission/NOTES.txt": b""}),
    "unsafe-path": _with_extra({"submission/../../readme.txt": b""}),
    "symlink": symlink,
    "several-folders": several_folders,
    "nested-folder": nested_folder,
    "nested-archive": nested_archive,
    "image-missing": missing_image,
    "image-surplus": _with_extra({"submission/999_47.npy": b""}),
    "image-misnamed": _renamed(lambda stem: f"{stem}.NPY"),
    "image-twice": image_twice,
    "wrong-format": _renamed(lambda stem: f"{stem}.png"),
    "npy-malformed": _with_first_file(lambda content: content[1:]),
    "npy-header-too-long": _with_first_file(lambda _: npy_with_header(" " * (MAX_HEADER_BYTES + 1), version=(2, 0))),
    "npy-claims-too-much": _with_first_file(
        lambda _: npy_with_header("{'descr': '<u2', 'fortran_order': False, 'shape': (100000, 100000, 4), }")
    ),
    "npy-wrong-length": _with_first_file(lambda content: content[:-1]),
    "pickled-array": _with_first(_pickled),
    "wrong-shape": _with_first(lambda image: image[:-2]),
    "wrong-dtype": _with_first(lambda image: image.astype(np.uint32)),
    "looks-normalised": _with_first(lambda image: (image / 1024).astype(np.float32)),
    "not-finite": _with_first(_with_nan),
    "negative-values": _with_first(_with_value(-1, np.int16)),
    "value-above-max": _with_first(_with_value(1025, np.uint16)),
    "crc-mismatch": wrong_checksum,
    "entry-damaged": damaged_entry,
    "more-problems": more_problems,
}
