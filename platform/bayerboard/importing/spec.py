"""A challenge as its YAML file says it: the keys, and everything that is wrong with a file at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    InstanceOf,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from baselines.catalogue import METHODS
from bayerboard.importing.spec_fields import (
    Count,
    DataPath,
    ExistingPath,
    Line,
    Moment,
    Names,
    Slug,
    Surroundings,
    TextFile,
    TextPath,
    Title,
    existing_path,
    suggest,
    wrong,
)
from bayerboard.importing.spec_yaml import (
    KeyPath,
    SourceMap,
    SpecError,
    SpecProblem,
    format_path,
    read_yaml,
)
from scoring.protocol import Protocol, ProtocolError, available_protocols, find_protocol, load_protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = [
    "ChallengeSpec",
    "DownloadSpec",
    "PhaseSpec",
    "SpecError",
    "SpecProblem",
    "TrackSpec",
    "load_challenge_spec",
]


def _known_zone(name: str) -> str:
    if isinstance(_find_zone(name), ZoneInfo):
        return name
    raise wrong(f"“{name}” is not a time zone.", "Use a name of the IANA list, such as Europe/Zurich or UTC.")


def _read_protocol(value: Any, info: ValidationInfo) -> Protocol:
    """Read a protocol: one that ships by its name, an organiser's own from its file."""
    if not isinstance(value, str):
        raise wrong("A text is expected here.", "Write a protocol's name, or the path of your own .toml.")
    name, known = value.strip(), available_protocols()
    if name in known:
        return load_protocol(name)
    if not name.endswith(".toml"):
        raise wrong(f"There is no protocol “{name}”.", suggest(name, known, always_list=True))
    try:
        protocol = find_protocol(str(existing_path(name, info)))
    except (ProtocolError, OSError) as error:
        mistakes = "; ".join(str(error).splitlines())
        raise wrong(f"{mistakes}.", "Correct the file; “python -m scoring protocols FILE” checks it alone.") from None
    if protocol.name in known:
        hint = "Give yours another name: scores of the two cannot be told apart."
        raise wrong(f"{name} calls itself {protocol.name}, as a protocol does that ships.", hint)
    return protocol


def _known_baseline(name: str, info: ValidationInfo) -> str:
    method = next((method for method in METHODS if method.name == name), None)
    if method is None:
        raise wrong(f"There is no baseline “{name}”.", suggest(name, [method.name for method in METHODS]))
    protocol = info.data.get("protocol")  # missing where the protocol itself is wrong
    if protocol is not None and protocol.name not in method.protocols:
        message = f"The baseline “{name}” does not predict for {protocol.name}."
        raise wrong(message, f"Remove it; it predicts for {', '.join(method.protocols)}.")
    return name


def _not_empty(items: tuple[Any, ...]) -> tuple[Any, ...]:
    # not min_length, which counts the valid entries and so complains a second time about a wrong one
    if not items:
        raise wrong("At least one entry is needed.", "Add one.")
    return items


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class _Described(_Model):
    """A part of the file with a text, here or in a file of its own."""

    description: str = ""
    description_file: TextPath | None = None

    @field_validator("description_file")
    @classmethod
    def _one_description(cls, file: TextFile | None, info: ValidationInfo) -> TextFile | None:
        return _only_one(file, info, "description")

    @property
    def description_text(self) -> str:
        return self.description_file.text if self.description_file else self.description


def _only_one(file: TextFile | None, info: ValidationInfo, key: str) -> TextFile | None:
    if file is not None and info.data.get(key):
        raise wrong(f"There is a {key} besides the file.", f"Keep {key} or {key}_file, not both.")
    return file


class DownloadSpec(_Model):
    """A file that participants may download; a folder is zipped."""

    title: Title
    path: ExistingPath
    description: Line = ""
    released_at: Moment | None = None


class PhaseSpec(_Described):
    """A period of a track with its own data, dates and quotas."""

    slug: Slug
    title: Title
    starts_at: Moment
    ends_at: Moment | None = None
    quota_per_day: Count = 5
    quota_total: Count = 100
    max_archive_mb: Count = 500
    time_limit_s: Count = 1800
    inputs: DataPath
    input_format: Literal["jpg", "png", "npy", "npz"] = "jpg"
    inputs_released_at: Moment | None = None
    reference: DataPath
    board: Literal["open", "hidden", "own-row"] = "open"
    board_opens_at: Moment | None = None
    selection: Literal["best", "latest"] = "best"
    image_results: Literal["published", "organisers"] = "organisers"
    own_scores: Literal["shown", "hidden"] = "shown"

    @field_validator("ends_at")
    @classmethod
    def _ends_after_start(cls, ends_at: datetime | None, info: ValidationInfo) -> datetime | None:
        starts_at = info.data.get("starts_at")
        if ends_at and starts_at and ends_at <= starts_at:
            message = f"The phase ends before it starts ({starts_at:%Y-%m-%d %H:%M} UTC)."
            raise wrong(message, "Correct one of the two.")
        return ends_at

    @field_validator("inputs_released_at")
    @classmethod
    def _released_before_end(cls, released_at: datetime | None, info: ValidationInfo) -> datetime | None:
        ends_at = info.data.get("ends_at")
        if released_at and ends_at and released_at >= ends_at:
            hint = "Release them before; without this key they come with the start."
            raise wrong("The inputs are released after the end of the phase.", hint)
        return released_at

    @field_validator("board_opens_at")
    @classmethod
    def _opens_what_is_closed(cls, opens_at: datetime | None, info: ValidationInfo) -> datetime | None:
        if opens_at and info.data.get("board") == "open":
            hint = "Write board: hidden (or own-row), or remove this key."
            raise wrong("The board is open from the beginning.", hint)
        return opens_at

    @property
    def max_archive_bytes(self) -> int:
        return self.max_archive_mb * 1_000_000


class TrackSpec(_Described):
    """One task of a challenge, scored by one protocol."""

    slug: Slug
    title: Title
    summary: Line = ""
    protocol: Annotated[InstanceOf[Protocol], BeforeValidator(_read_protocol)]
    baselines: tuple[Annotated[str, AfterValidator(_known_baseline)], ...] = ()
    downloads: tuple[DownloadSpec, ...] = ()
    phases: Annotated[tuple[PhaseSpec, ...], AfterValidator(_not_empty)]


class ChallengeSpec(_Described):
    """A whole challenge, and where each of its values stands in the file."""

    slug: Slug
    title: Title
    summary: Line = ""
    terms: str = ""
    terms_file: TextPath | None = None
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    notice: Line = ""
    owners: Names = ()
    organisers: Names = ()
    viewers: Names = ()
    listed: bool = True
    tracks: Annotated[tuple[TrackSpec, ...], AfterValidator(_not_empty)]

    _source: SourceMap = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        self._source = cast("Surroundings", context).source

    @field_validator("terms_file")
    @classmethod
    def _one_terms(cls, file: TextFile | None, info: ValidationInfo) -> TextFile | None:
        return _only_one(file, info, "terms")

    @property
    def terms_text(self) -> str:
        return self.terms_file.text if self.terms_file else self.terms

    def problem(self, path: KeyPath, message: str, hint: str) -> SpecProblem:
        """Build a problem of the value at `path`, such as `("tracks", 0, "slug")`, with its line."""
        return self._source.problem(path, message, hint)


def load_challenge_spec(path: Path) -> ChallengeSpec:
    """Read and check a challenge's YAML file; raises SpecError with every mistake in it."""
    document = read_yaml(path)
    data, source = document.value, document.source
    problems = list(document.problems)
    if not isinstance(data, dict):
        message = "The file is empty." if data is None else "The file must hold keys and values."
        hint = "Begin with slug: my-challenge; docs/challenge-yaml.md has an example."
        raise SpecError([source.problem((), message, hint)])
    problems += _repetitions(data, source)
    surroundings = Surroundings(path.parent, _find_zone(data.get("time_zone")) or UTC, source)
    spec: ChallengeSpec | None = None
    try:
        spec = ChallengeSpec.model_validate(data, context=surroundings)
    except ValidationError as error:
        problems += [_explain(details, source) for details in error.errors(include_url=False)]
    if spec is not None:
        problems += _exposed_references(spec)
    if problems or spec is None:
        raise SpecError(problems)
    return spec


def _exposed_references(spec: ChallengeSpec) -> Iterator[SpecProblem]:
    """Find downloads that would give a hidden reference away."""
    hidden = {
        f"{track.slug}/{phase.slug}": phase.reference.resolve()
        for track in spec.tracks
        for phase in track.phases
        if phase.image_results != "published"
    }
    for index, track in enumerate(spec.tracks):
        for number, download in enumerate(track.downloads):
            path = download.path.resolve()
            for phase, reference in hidden.items():
                if reference.is_relative_to(path) or path.is_relative_to(reference):
                    message = f"This download holds the hidden reference of {phase}."
                    hint = "Keep them in different folders."
                    yield spec.problem(("tracks", index, "downloads", number, "path"), message, hint)


def _find_zone(name: Any) -> tzinfo | None:
    try:
        return ZoneInfo(name) if isinstance(name, str) else None
    except (KeyError, ValueError, OSError):
        return None


def _repetitions(data: dict[str, Any], source: SourceMap) -> Iterator[SpecProblem]:
    """Find names that stand twice. On the plain values, so that other mistakes do not hide them."""
    for role in ("owners", "organisers", "viewers"):
        yield from _repeated(data, role, None, (), source)
    yield from _repeated(data, "tracks", "slug", (), source)
    for index, track in enumerate(_items(data, "tracks")):
        for key, name in (("baselines", None), ("downloads", "title"), ("phases", "slug")):
            yield from _repeated(track, key, name, ("tracks", index), source)


def _items(data: Any, key: str) -> list[Any]:
    items = data.get(key) if isinstance(data, dict) else None
    return items if isinstance(items, list) else []


def _repeated(data: Any, key: str, name: str | None, parent: KeyPath, source: SourceMap) -> Iterator[SpecProblem]:
    first: dict[str, int] = {}
    for index, item in enumerate(_items(data, key)):
        value = item.get(name) if name and isinstance(item, dict) else item
        if not isinstance(value, str):
            continue
        path: KeyPath = (*parent, key, index, *((name,) if name else ()))
        if value in first:
            earlier = format_path((*parent, key, first[value]))
            message = f"“{value}” stands here a second time (first in {earlier})."
            yield source.problem(path, message, "Give each a name of its own.")
        first.setdefault(value, index)


_MODELS: dict[str | int, type[_Model]] = {"tracks": TrackSpec, "phases": PhaseSpec, "downloads": DownloadSpec}


def _keys_at(path: KeyPath) -> list[str]:
    """Name the keys of the mapping that holds the key at `path`."""
    model = next((_MODELS[part] for part in reversed(path[:-1]) if part in _MODELS), ChallengeSpec)
    return list(model.model_fields)


_PLAIN = {
    "missing": ("This key is missing.", "Add it."),
    "model_type": ("Keys and values are expected here.", "Write key: value, indented below this line."),
    "tuple_type": ("A list is expected here.", "Write one entry per line, each beginning with “- ”."),
    "string_type": ("A text is expected here.", "Write it on the same line."),
    "string_too_short": ("The text is empty.", "Write it, or remove the key."),
}


def _explain(details: ErrorDetails, source: SourceMap) -> SpecProblem:
    """Turn pydantic's error into a message and a hint."""
    kind, path, value, context = details["type"], details["loc"], details["input"], details.get("ctx", {})
    if kind == "spec":
        message, hint = context["message"], context["hint"]
    elif kind == "extra_forbidden":
        message, hint = "This key is unknown.", suggest(str(path[-1]), _keys_at(path))
    elif value is None:
        message, hint = "There is no value.", "Write one after the colon, or remove the key."
    elif kind in _PLAIN:
        message, hint = _PLAIN[kind]
    elif kind == "literal_error":
        choices = re.findall("'([^']+)'", context["expected"])
        message = f"“{value}” is not one of {', '.join(choices)}."
        hint = suggest(str(value), choices)
    elif kind.startswith("int"):
        message, hint = f"“{value}” is not a whole number.", "Write digits only."
    elif kind.startswith("bool"):
        message, hint = f"“{value}” is neither true nor false.", "Write true or false."
    elif kind == "greater_than_equal":
        message, hint = f"{value} is less than {context['ge']}.", f"Write {context['ge']} or more."
    elif kind == "less_than_equal":
        message, hint = f"{value} is more than {context['le']:,}.", "Write a smaller number."
    elif kind == "string_too_long":
        message = f"The text is longer than {context['max_length']} characters ({len(str(value))})."
        hint = "Shorten it; a description may be as long as you like."
    else:
        message, hint = f"{details['msg']}.", "See docs/challenge-yaml.md."
    return source.problem(path, message, hint)
