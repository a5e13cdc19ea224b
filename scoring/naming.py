"""The meaning of file names in an archive: image, readme, junk, or a likely slip."""

from __future__ import annotations

import re

JUNK_FOLDERS = frozenset({"__MACOSX"})
JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
# macOS puts such files beside each file on foreign disks.
JUNK_PREFIX = "._"
IMAGE_SUFFIXES = (".npy", ".npz", ".png", ".jpg")
NESTED_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
_SEPARATORS = re.compile(r"[\s_-]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def is_junk(path: str) -> bool:
    """Return whether an operating system puts such a file into archives without being asked."""
    *folders, name = path.split("/")
    return not JUNK_FOLDERS.isdisjoint(folders) or name.lower() in JUNK_NAMES or name.startswith(JUNK_PREFIX)


def is_readme(name: str) -> bool:
    """Return whether a file's name begins with "readme", as the organisers' scorer looks for it."""
    return name.lower().startswith("readme") and not name.lower().endswith(IMAGE_SUFFIXES)


def is_image(name: str, suffix: str) -> bool:
    """Return whether a name ends as those of a protocol's images do (``suffix``: ``.npy``), in any case."""
    return name.lower().endswith(suffix)


def is_nested_archive(name: str) -> bool:
    return name.lower().endswith(NESTED_SUFFIXES)


def likely_stem(name: str) -> str:
    """Return the stem that a file's name probably means, folded: for comparison with :func:`folded` stems."""
    stem = name.rpartition(".")[0] or name
    # numpy.save adds the suffix to a name that has it in capitals.
    if stem.lower().endswith(IMAGE_SUFFIXES):
        stem = stem.rpartition(".")[0]
    return folded(stem)


def folded(stem: str) -> str:
    """Return a stem without case, leading zeros, and kind and number of separators: people change these by accident."""
    joined = _SEPARATORS.sub("_", stem.strip()).casefold()
    return _LEADING_ZEROS.sub("", joined)
