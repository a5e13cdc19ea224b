"""How a track is scored, as data: file format, level scale, metrics, order of the leaderboard's columns."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoring.canonical import sha256_of_json
from scoring.metrics import METRICS
from scoring.operands import PLAUSIBLE, read_plausible
from scoring.protocol_parts import (
    CONTAINERS,
    MAX_CHANNELS,
    OF_REFERENCE,
    PER_FILE,
    Column,
    MetricSettings,
    least_side_of,
    read_columns,
    read_metrics,
    read_pattern,
    read_texts,
)
from scoring.shapes import OPEN_SIDE, is_open
from scoring.table import Fault, Table, TableError, join_faults, shown
from scoring.toml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

__all__ = [
    "Column",
    "MetricSettings",
    "Protocol",
    "ProtocolError",
    "UnknownProtocolError",
    "available_protocols",
    "find_protocol",
    "load_protocol",
    "parse_protocol",
]

LARGEST_LEVELS = {"uint8": 255, "uint16": 65535}
MAX_PROTOCOL_BYTES = 1 << 20


class ProtocolError(TableError):
    """A protocol's data is wrong; the message names the file, the line where it is known, and the key."""


class UnknownProtocolError(ProtocolError):
    """No protocol has the name that was asked for."""


@dataclass(frozen=True)
class Protocol:
    """How a track is scored.

    Attributes
    ----------
    dtype
        The type of a submission's images: ``uint16`` or ``uint8``.
    shape
        Height, width and channels of every image, in pixels of the packed RAW; height and width are 0 where
        they are those of each image's reference.
    level_scale
        The stored level that counts as 1.0 in the metrics; None where every reference says its own (``max_val``).
    max_value
        The largest legal stored value; that of a file with ``max_val`` may be smaller.
    white_level
        Where the camera's data saturates, for information and advice; no score depends on it.
    metrics
        Their keys; ``settings`` defines those that are not just the one of ``METRICS``.
    columns
        The leaderboard's columns, in the order in which they are compared.
    tolerance
        Values of a column that are this near to each other are equal on a leaderboard.
    group_pattern
        A regular expression for image names with a group ``group``: the photo a tile was cut from.
    container
        The kind of file an image comes in: ``npy``, ``npz`` (``raw`` and ``max_val``), ``png`` or ``jpg`` (RGB).
    subsets, subset_pattern
        Names of the parts of a reference set that have columns of their own, and a regular expression for image names
        with a group ``subset``; without one, the reference set says which image belongs where.
    max_parameters, max_macs
        Limits of a fact sheet's declarations: beyond them, a submission is scored and marked as not eligible.
    notes
        Sentences for readers of the protocol, such as which of its facts are not verified.
    plausible
        Declared values that formulas take: field of the fact sheet, least and largest value, where these are narrower
        than :data:`scoring.operands.PLAUSIBLE`. Values outside count as not declared.
    settings
        The protocol's settings of its metrics.
    """

    name: str
    title: str
    dtype: str
    shape: tuple[int, int, int]
    level_scale: float | None
    max_value: int
    white_level: int
    metrics: tuple[str, ...]
    columns: tuple[Column, ...]
    tolerance: float
    group_pattern: str | None = None
    container: str = "npy"
    subsets: tuple[str, ...] = ()
    subset_pattern: str | None = None
    max_parameters: float | None = None
    max_macs: float | None = None
    notes: tuple[str, ...] = ()
    plausible: tuple[tuple[str, float, float], ...] = ()
    settings: tuple[MetricSettings, ...] = ()

    @property
    def array_label(self) -> str:
        """The form of every image, for people: ``uint16 of shape (252, 252, 4)``."""
        if is_open(self.shape):
            return f"{self.dtype} of its reference's shape, with {self.channels} channels"
        return f"{self.dtype} of shape {self.shape}"

    @property
    def channels(self) -> int:
        return self.shape[2]

    @property
    def suffix(self) -> str:
        """How the names of a submission's image files end."""
        return f".{self.container}"

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: two protocols that score alike and read alike have the same."""
        return sha256_of_json(self.to_json())

    @property
    def has_limits(self) -> bool:
        """Whether a fact sheet must keep within something."""
        return self.max_parameters is not None or self.max_macs is not None

    @property
    def has_formula(self) -> bool:
        """Whether a column may stay empty, for want of a declared operand."""
        return any(column.formula is not None for column in self.columns)

    @property
    def formula_names(self) -> frozenset[str]:
        """The names that the columns' formulas need a value for."""
        return frozenset().union(*(column.formula_names for column in self.columns))

    def is_of_subset(self, column: Column) -> bool:
        """Return whether the value tells something of a part of the images: a subset's mean, or a formula of one."""
        subsets = {other.key for other in self.columns if other.subset is not None}
        return column.key in subsets or not column.formula_names.isdisjoint(subsets)

    @property
    def ranked_columns(self) -> tuple[Column, ...]:
        """The columns that order a board: all but those that rest on declared operands."""
        return tuple(column for column in self.columns if not column.is_declared)

    def tolerance_of(self, column: Column) -> float:
        """Return the difference up to which two values of the column are equal."""
        return self.tolerance if column.tolerance is None else column.tolerance

    @property
    def tolerances(self) -> tuple[float, ...]:
        """The tolerance of every column, in their order."""
        return tuple(self.tolerance_of(column) for column in self.columns)

    @property
    def plausible_ranges(self) -> dict[str, tuple[float, float]]:
        """The least and the largest plausible value of each declared field that a formula may use."""
        return {**PLAUSIBLE, **{name: (least, most) for name, least, most in self.plausible}}

    @property
    def least_side_px(self) -> int:
        """The fewest rows and columns that an image needs for these metrics."""
        return least_side_of([self.settings_of(key) for key in self.metrics])

    def data_range(self, max_val: float | None) -> float:
        """Return the stored level that counts as 1.0; ``max_val`` is that of the reference, None if it has none."""
        if self.level_scale is not None:
            return self.level_scale
        if max_val is None:
            raise ValueError(f"{self.name}: the level scale is per file, and the reference has no max_val")
        return max_val

    def largest_value(self, max_val: float | None) -> int:
        """Return the largest legal stored value of a pair whose reference says ``max_val``."""
        return self.max_value if self.level_scale is not None else min(self.max_value, int(self.data_range(max_val)))

    def settings_of(self, key: str) -> MetricSettings:
        """Return the settings of a metric."""
        return next((settings for settings in self.settings if settings.key == key), MetricSettings(key, key))

    def metric_parameters(self, key: str) -> dict[str, Any]:
        """Return the keyword arguments of a metric besides ``data_range``: those that are not its defaults."""
        return dict(self.settings_of(key).parameters)

    def measure(self, key: str, reference: NDArray[Any], submission: NDArray[Any], *, data_range: float) -> float:
        """Compute one of the protocol's metrics of a pair of H×W×C images, with the settings it has here."""
        settings = self.settings_of(key)
        if settings.channel is not None:
            reference, submission = reference[..., [settings.channel]], submission[..., [settings.channel]]
        return METRICS[settings.metric](reference, submission, data_range=data_range, **dict(settings.parameters))

    def group_of(self, image: str) -> str | None:
        """Return the photo that an image was cut from, or None where its name does not tell."""
        return _match(self.group_pattern, "group", image)

    def subset_of(self, image: str) -> str | None:
        """Return the subset that an image belongs to, or None where its name does not tell."""
        return _match(self.subset_pattern, "subset", image)

    def to_json(self) -> dict[str, Any]:
        """Return data for :meth:`from_json`, without newer keys at their defaults, so that old digests stay valid."""
        data = {
            **{field.name: getattr(self, field.name) for field in fields(self)[:_NEWER_FROM]},
            "shape": OF_REFERENCE if is_open(self.shape) else list(self.shape),
            "level_scale": PER_FILE if self.level_scale is None else self.level_scale,
            "metrics": list(self.metrics),
            "columns": [column.to_json() for column in self.columns],
        }
        newer = {field.name: getattr(self, field.name) for field in fields(self)[_NEWER_FROM:-1]}
        newer["subsets"], newer["notes"] = list(self.subsets), list(self.notes)
        newer["plausible"] = {name: [least, most] for name, least, most in self.plausible}
        newer["channels"] = self.channels if is_open(self.shape) else None
        newer["parameters"] = {settings.key: settings.to_json() for settings in self.settings}
        defaults: tuple[Any, ...] = ("npy", None, [], {})
        return data | {name: value for name, value in newer.items() if value not in defaults}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, source: str = "protocol") -> Protocol:
        """Check data as :meth:`to_json` or a TOML file gives it, and make the protocol of it.

        Raises
        ------
        ProtocolError
            Keys are unknown, missing or have wrong values; the message has a line for every mistake, with ``source``
            and the key, and ``faults`` has them one by one.
        """
        table = Table(data, source, ProtocolError)
        values = _read(table)
        if table.faults:
            raise ProtocolError(join_faults(source, table.faults), table.faults)
        return cls(**values)


# The keys that every stored snapshot has come first; group_pattern is the last of them.
_NEWER_FROM = [field.name for field in fields(Protocol)].index("container")
PROTOCOL_KEYS = (*(field.name for field in fields(Protocol)[:-1]), "channels", "parameters")


def available_protocols() -> list[str]:
    """Return the names of the protocols that ship with Bayerboard, sorted."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _protocol_folder().iterdir() if entry.name.endswith(".toml")
    )


def load_protocol(name: str) -> Protocol:
    """Return a protocol that ships with Bayerboard.

    Raises
    ------
    UnknownProtocolError
        No protocol has this name; the message lists those that exist.
    """
    known = available_protocols()
    # The name is compared before it becomes part of a path.
    if name not in known:
        raise UnknownProtocolError(f"there is no protocol {name!r}; there are: {', '.join(known)}")
    return parse_protocol((_protocol_folder() / f"{name}.toml").read_text("utf-8"), source=f"{name}.toml")


def find_protocol(name_or_path: str) -> Protocol:
    """Return a protocol by its name, or from an organiser's own file: anything that ends in .toml.

    Raises
    ------
    UnknownProtocolError
        No protocol has this name.
    ProtocolError
        The file is not a protocol; the message says where it is wrong.
    OSError
        The file cannot be read.
    """
    if not name_or_path.endswith(".toml"):
        return load_protocol(name_or_path)
    path = Path(name_or_path)
    with path.open("rb") as file:
        data = file.read(MAX_PROTOCOL_BYTES + 1)
    if len(data) > MAX_PROTOCOL_BYTES:
        raise ProtocolError(f"{path}: is longer than {MAX_PROTOCOL_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{path}: is not UTF-8 text") from error
    return parse_protocol(text, source=str(path))


def parse_protocol(text: str, *, source: str) -> Protocol:
    """Return a protocol from the text of a TOML file; ProtocolError names ``source`` and the lines that are wrong."""
    try:
        data = tomllib.loads(text)
    # Of a date or a number that does not exist, and of brackets in brackets without end.
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise ProtocolError(f"{source}: not TOML: {error}") from error
    try:
        protocol = Protocol.from_json(data, source=source)
        _refuse_silent_operands(protocol, source)
    except ProtocolError as error:
        raise ProtocolError(join_faults(source, error.faults, lambda path: line_of(text, path)), error.faults) from None
    return protocol


def _refuse_silent_operands(protocol: Protocol, source: str) -> None:
    """Refuse a new protocol whose formula uses declared operands without saying so, or that nothing else ranks."""
    reason = (
        "uses what a fact sheet declares: write declared_operands = true beside it; the column is then shown as "
        "declared, and takes no part in the order"
    )
    faults = [
        Fault(f"columns[{number}].formula", reason)
        for number, column in enumerate(protocol.columns)
        if column.is_declared and not column.declared_operands
    ]
    if not protocol.ranked_columns:
        faults.append(Fault("columns", "must have one that does not rest on declared operands, to order a board by"))
    if faults:
        raise ProtocolError(join_faults(source, faults), faults)


def _protocol_folder() -> Traversable:
    return resources.files("scoring") / "protocols"


def _match(pattern: str | None, group: str, image: str) -> str | None:
    match = re.search(pattern, image) if pattern is not None else None
    return match[group] if match else None


def _read(table: Table) -> dict[str, Any]:
    """Return the values of all fields; where the table has faults after it, some are missing."""
    table.attempt(lambda: table.refuse_unknown(PROTOCOL_KEYS))
    settings = table.attempt(lambda: read_metrics(table))
    # A mistake in the metrics must not make every column look wrong.
    metrics = tuple(METRICS) if settings is None else tuple(item.key for item in settings)
    container = (
        table.attempt(lambda: table.choice("container", tuple(CONTAINERS))) if "container" in table.data else None
    )
    container = container or "npy"
    largest = LARGEST_LEVELS[CONTAINERS[container]]
    max_value = table.attempt(lambda: table.integer("max_value", 1, largest))
    subsets = table.attempt(lambda: read_texts(table, "subsets")) or ()
    return {
        "name": table.attempt(lambda: table.text("name")),
        "title": table.attempt(lambda: table.text("title")),
        "dtype": table.attempt(lambda: table.choice("dtype", (CONTAINERS[container],))),
        "level_scale": table.attempt(lambda: _level_scale(table, container)),
        "max_value": max_value,
        "white_level": table.attempt(lambda: table.integer("white_level", 1, max_value or largest)),
        "metrics": metrics,
        "columns": table.attempt(lambda: read_columns(table, metrics, subsets)),
        "tolerance": table.attempt(lambda: table.number("tolerance", may_be_zero=True)),
        "group_pattern": table.attempt(lambda: read_pattern(table, "group_pattern", "group")),
        "container": container,
        "subsets": subsets,
        "subset_pattern": table.attempt(lambda: read_pattern(table, "subset_pattern", "subset")),
        "max_parameters": table.attempt(lambda: _limit(table, "max_parameters")),
        "max_macs": table.attempt(lambda: _limit(table, "max_macs")),
        "notes": table.attempt(lambda: read_texts(table, "notes")),
        "plausible": table.attempt(lambda: read_plausible(table)),
        "settings": tuple(item for item in settings or () if item.to_json()),
        "shape": table.attempt(lambda: _shape(table, settings or ())),
    }


def _shape(table: Table, settings: tuple[MetricSettings, ...]) -> tuple[int, int, int]:
    """Return height, width and channels, which fit the metrics."""
    if table.data.get("shape") == OF_REFERENCE:
        height = width = OPEN_SIDE
        channels = table.integer("channels", 1, MAX_CHANNELS)
    else:
        least = least_side_of(settings) if settings else 1
        height, width, channels = table.shape("shape", dimensions=3, least_side=least)
        if table.data.get("channels") is not None:
            raise table.fault("channels", f'stands only beside shape = "{OF_REFERENCE}"')
    for item in settings:
        if item.metric == "delta_e" and channels != 3:
            raise table.fault("metrics", f"{item.key!r} needs three channels, not {channels}")
        if item.channel is not None and item.channel >= channels:
            raise table.fault(f"parameters.{item.key}.channel", f"must be below {channels}, the number of channels")
    return height, width, channels


def _level_scale(table: Table, container: str) -> float | None:
    if table.data.get("level_scale") != PER_FILE:
        return table.number("level_scale")
    if container != "npz":
        raise table.fault("level_scale", f"is {shown(PER_FILE)}, which only a npz container can say")
    return None


def _limit(table: Table, key: str) -> float | None:
    return table.number(key) if table.data.get(key) is not None else None
