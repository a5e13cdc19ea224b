"""The kinds of values in a challenge file: dates, texts, files, names, each with its own complaint."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayerboard.importing.spec_yaml import SourceMap

MAX_TEXT_BYTES = 1_000_000
DATE_EXAMPLE = "2026-11-30 23:59"

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:(?:[Tt]|\s+)(?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s*(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?)?"
)


@dataclass(frozen=True)
class Surroundings:
    """Facts of the file that a value stands in."""

    folder: Path
    zone: tzinfo
    source: SourceMap


class TextFile(NamedTuple):
    """A text that lies in a file of its own."""

    path: Path
    text: str


def wrong(message: str, hint: str) -> PydanticCustomError:
    """Build the error of a value, of a message and a hint."""
    return PydanticCustomError("spec", "{message}", {"message": message, "hint": hint})


def suggest(name: str, known: Sequence[str], *, always_list: bool = False) -> str:
    """Name the nearest known word, or all of them."""
    nearest = get_close_matches(name, known, n=1, cutoff=0.6)
    all_known = f"Known: {', '.join(known) or 'none'}."
    if not nearest:
        return all_known
    guess = f"Did you mean “{nearest[0]}”?"
    return f"{guess} {all_known}" if always_list else guess


def _surroundings(info: ValidationInfo) -> Surroundings:
    if not isinstance(info.context, Surroundings):
        raise TypeError("a challenge is read with load_challenge_spec")
    return info.context


def _parse_moment(value: Any, info: ValidationInfo) -> Any:
    """Read a date and time, in the challenge's zone where it names no other; the result is in UTC."""
    if not isinstance(value, str):
        raise wrong("A date and time is expected here.", f"Write it as {DATE_EXAMPLE}.")
    match = _MOMENT.fullmatch(value.strip())
    if match is None:
        raise wrong(f"“{value}” is not a date and time.", f"Write it as {DATE_EXAMPLE}.")
    if match["time"] is None:
        hint = f"Write it as {value.strip()} 23:59; a date alone does not say which end of the day is meant."
        raise wrong(f"“{value}” has no time of day.", hint)
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['time']}{(match['offset'] or '').upper()}")
    except ValueError as error:
        raise wrong(f"“{value}” is not a date and time: {error}.", f"Write it as {DATE_EXAMPLE}.") from None
    try:
        return (moment if moment.tzinfo else _localise(moment, _surroundings(info).zone)).astimezone(UTC)
    except OverflowError:
        raise wrong(f"“{value}” is outside of the calendar.", f"Write it as {DATE_EXAMPLE}.") from None


def _localise(moment: datetime, zone: tzinfo) -> datetime:
    local = moment.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        # the clocks are set on that day: this time is skipped, or passed twice
        exists = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
        message = f"{moment:%Y-%m-%d %H:%M} {'comes twice' if exists else 'does not exist'} in {zone}."
        raise wrong(message, "The clocks are set in that hour; add the offset from UTC, such as +01:00.")
    return local


def _parse_text_file(value: Any, info: ValidationInfo) -> Any:
    path = existing_path(value, info)
    if not path.is_file():
        raise wrong(f"{path} is not a file.", "Name a text file.")
    with path.open("rb") as stream:
        data = stream.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        raise wrong(f"{path} is larger than {MAX_TEXT_BYTES:,} bytes.", "Shorten it.")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise wrong(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    if not text:
        raise wrong(f"{path} is empty.", "Write the text, or remove the key.")
    return TextFile(path, text)


def existing_path(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value.strip():
        raise wrong("A path is expected here.", "Name a file or folder, relative to the folder of this file.")
    folder = _surroundings(info).folder
    path = folder / value.strip()
    nearest: list[str] = []
    try:
        if path.exists():
            return path
        nearest = get_close_matches(path.name, sorted(entry.name for entry in path.parent.iterdir()), n=1)
    except (OSError, ValueError):  # no such folder either, not readable, too long, or no name at all
        pass
    if nearest:
        hint = f"Did you mean “{Path(value.strip()).with_name(nearest[0])}”?"
    else:
        hint = f"Paths are relative to the folder of this file: {folder.resolve()}."
    raise wrong(f"There is no file or folder “{value}”.", hint)


def _folder_or_zip(path: Path) -> Path:
    if path.is_dir() or (path.is_file() and zipfile.is_zipfile(path)):
        return path
    raise wrong(f"{path} is neither a folder nor a zip.", "Name a folder or a zip with one file per image.")


def _slug(value: str) -> str:
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
        return value
    better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-") or "my-challenge"
    raise wrong(f"“{value}” cannot stand in an address.", f"Use a–z, 0–9 and single hyphens: {better}.")


Slug = Annotated[str, StringConstraints(max_length=50), AfterValidator(_slug)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Line = Annotated[str, StringConstraints(max_length=300)]
# User names, or confirmed e-mail addresses.
Names = tuple[Annotated[str, Field(min_length=1)], ...]
Moment = Annotated[datetime, BeforeValidator(_parse_moment)]
TextPath = Annotated[TextFile, BeforeValidator(_parse_text_file)]
ExistingPath = Annotated[Path, BeforeValidator(existing_path)]
DataPath = Annotated[Path, BeforeValidator(existing_path), AfterValidator(_folder_or_zip)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
