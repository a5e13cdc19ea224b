"""``render``: images for the eye."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoring.archive import ArchiveError, ZipArchive
from scoring.commands.common import (
    OK,
    SUBMISSION_AT_FAULT,
    CommandError,
    UsageError,
    add_json,
    add_protocol,
    is_for_people,
    print_problems,
    write_json,
)
from scoring.files import write_atomically
from scoring.images import Decoded, decode
from scoring.manifest import FileSpec, natural_key
from scoring.naming import is_junk
from scoring.protocol import find_protocol
from scoring.reference import Reference
from scoring.render import difference_levels, heat_map, png_bytes, visualise
from scoring.shapes import OPEN_SIDE

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from scoring.protocol import Protocol

DESCRIPTION = """\
Turn images into PNG files that people can look at.

Packed RAW is shown as the organisers' starter notebook shows it: the mean of the two greens, twice the size by
bilinear interpolation, gamma 1/2.2, tone curve 3x² − 2x³; no white balance. RGB images are shown as they are. With
--difference the file is a heat map of where an image differs from the reference, from black (not at all) by violet,
red and orange to white (by --top levels or more; by default the greatest difference in the image, which is printed)."""
EXAMPLES = """\
  python -m scoring render 6_0.npy --protocol aim22-s7
  python -m scoring render submission.zip --image 6_0 --image 6_1 --protocol aim22-s7 --output pictures/
  python -m scoring render submission.zip --image 6_0 --protocol aim22-s7 --difference val_gt/ --top 64"""

_MOST_NAMED = 8
_PNG = ".png"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="FILE_OR_ZIP", help="an image, or a zip of images")
    add_protocol(parser)
    text = "which image of a zip, without its suffix; may be given several times"
    parser.add_argument("--image", action="append", default=[], metavar="NAME", help=text)
    text = "make heat maps of the difference from this reference set"
    parser.add_argument("--difference", type=Path, metavar="DIR_OR_ZIP", help=text)
    parser.add_argument("--top", type=float, metavar="LEVELS", help="the difference that is white in a heat map")
    text = f"a folder, which is made, or, for one image, a name that ends in {_PNG} (default: this folder)"
    parser.add_argument("--output", type=Path, default=Path(), metavar="PATH", help=text)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    protocol = find_protocol(options.protocol)
    _check_options(options)
    written = []
    try:
        with ExitStack() as stack:
            source = _Source(options.source, protocol, stack)
            names = source.choose(options.image)
            if options.output.suffix == _PNG and len(names) > 1:
                raise UsageError(f"argument --output: {len(names)} images need a folder")
            reference = None
            if options.difference is not None:
                reference = stack.enter_context(Reference.open(options.difference, protocol))
            for name in names:
                written.append(_render(name, source.load(name), reference, protocol, options))
    except ArchiveError as error:
        print_problems(options.source.name, [error.problem], [])
        return SUBMISSION_AT_FAULT
    write_json(options, {"protocol": protocol.name, "files": written})
    if is_for_people(options):
        for one in written:
            white = "" if one["top"] is None else f"  (white: {one['top']:g} levels)"
            print(f"{one['file']}{white}")
    return OK


def _check_options(options: argparse.Namespace) -> None:
    if options.top is not None and options.difference is None:
        raise UsageError("argument --top: is for --difference")
    if options.top is not None and not options.top > 0:
        raise UsageError("argument --top: must be positive")


def _render(
    name: str, image: Decoded, reference: Reference | None, protocol: Protocol, options: argparse.Namespace
) -> dict[str, object]:
    top = None
    try:
        if reference is None:
            rgb = visualise(image.pixels, data_range=protocol.data_range(image.max_val))
        else:
            levels = difference_levels(_reference_image(reference, name, options.difference), image.pixels)
            # An image without any difference is black, on any scale.
            top = options.top or float(levels.max()) or 1.0
            rgb = heat_map(levels, top=top)
    except ValueError as error:
        raise CommandError(f"{name}: {error}") from error
    path = _target(name, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, png_bytes(rgb))
    return {"image": name, "file": str(path), "top": top}


def _reference_image(reference: Reference, name: str, path: Path) -> NDArray[Any]:
    if name not in reference.names:
        raise CommandError(f"{path}: there is no image {name}")
    return reference.load(name)


def _target(name: str, options: argparse.Namespace) -> Path:
    output: Path = options.output
    if output.suffix == _PNG:
        return output
    # A name from a zip, so it may lead nowhere else; a PNG beside its own source does not take its place.
    shown = Path(name).name.replace("\\", "_")
    return output / f"{shown}{'-difference' if options.difference else '-view'}{_PNG}"


class _Source:
    """One image file, or the images of a zip."""

    def __init__(self, path: Path, protocol: Protocol, stack: ExitStack) -> None:
        self._path = path
        # To be looked at, an image may have any height and width: a whole frame, or a part of one.
        self._protocol = replace(protocol, shape=(OPEN_SIDE, OPEN_SIDE, protocol.channels))
        self._archive: ZipArchive | None = None
        if path.suffix.lower() != protocol.suffix:
            self._archive = stack.enter_context(ZipArchive(path, name=path.name))
            entries = [entry for entry in self._archive.entries if not is_junk(entry.path)]
            self._entries = {
                entry.name.removesuffix(protocol.suffix): entry
                for entry in entries
                if entry.name.endswith(protocol.suffix)
            }

    def choose(self, wanted: list[str]) -> list[str]:
        """Return the names of the images to render, each once."""
        if self._archive is None:
            if wanted:
                raise UsageError("argument --image: is for a zip")
            return [self._path.stem]
        names = list(dict.fromkeys(wanted)) or list(self._entries)
        missing = [name for name in names if name not in self._entries]
        if missing or not names:
            raise CommandError(f"{self._path}: there is no image {missing[0] if missing else 'in it'}; {self._held()}")
        if len(names) > 1 and not wanted:
            raise UsageError(f"argument --image: which one? {self._held()}")
        return names

    def load(self, name: str) -> Decoded:
        spec = FileSpec(name, self._protocol.shape, self._protocol.dtype, self._protocol.container)
        if self._archive is None:
            return decode(self._path.read_bytes(), spec, self._protocol, file=self._path.name)
        entry = self._entries[name]
        if not entry.is_supported or entry.is_encrypted:
            raise CommandError(f"{self._path}: {entry.path} is encrypted or packed in a way that cannot be read")
        return decode(self._archive.read(entry), spec, self._protocol, file=entry.path)

    def _held(self) -> str:
        names = sorted(self._entries, key=natural_key)
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return f"there are {', '.join(names[:_MOST_NAMED]) or 'none'}{more}"
