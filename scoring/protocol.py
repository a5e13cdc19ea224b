"""How a track is scored, as data: file format, level scale, metrics, order of the leaderboard's columns."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, dataclass, fields
from importlib import resources
from typing import TYPE_CHECKING, Any

from scoring.canonical import sha256_of_json
from scoring.metrics import METRICS
from scoring.metrics.ssim import CROP_PX
from scoring.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from scoring.ranking import Direction


# SSIM needs one pixel that its crop leaves over.
MIN_SIDE_PX = 2 * CROP_PX + 1
LARGEST_UINT16 = 65535
MAX_PRECISION = 10


class ProtocolError(ValueError):
    """A protocol's data is wrong; the message names the file and the key."""


class UnknownProtocolError(ProtocolError):
    """No protocol has the name that was asked for."""


@dataclass(frozen=True)
class Column:
    """One column of a leaderboard: ``key`` is the metric, ``precision`` the decimals that are shown."""

    key: str
    label: str
    direction: Direction
    precision: int
    unit: str


@dataclass(frozen=True)
class Protocol:
    """How a track is scored.

    Attributes
    ----------
    dtype
        What a submission's arrays hold: ``uint16``.
    shape
        Height, width and channels of every image, in pixels of the packed RAW.
    level_scale
        The stored level that counts as 1.0 in the metrics.
    max_value
        The largest legal stored value.
    white_level
        Where the camera's data saturates, for information and advice; no score depends on it.
    metrics
        Keys of ``scoring.metrics.METRICS``.
    columns
        The leaderboard's columns, in the order in which they are compared.
    tolerance
        Values of a column that are this near to each other are equal on a leaderboard.
    group_pattern
        A regular expression for image names with a group ``group``: the photo a tile was cut from.
    """

    name: str
    title: str
    dtype: str
    shape: tuple[int, int, int]
    level_scale: float
    max_value: int
    white_level: int
    metrics: tuple[str, ...]
    columns: tuple[Column, ...]
    tolerance: float
    group_pattern: str | None = None

    @property
    def array_label(self) -> str:
        """What every image must be, for people: ``uint16 of shape (252, 252, 4)``."""
        return f"{self.dtype} of shape {self.shape}"

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: two protocols that score alike and read alike have the same."""
        return sha256_of_json(self.to_json())

    def data_range(self, max_val: float | None) -> float:
        """The stored level that counts as 1.0 for a pair whose reference says ``max_val`` (None: it says nothing)."""
        return self.level_scale

    def metric_parameters(self, key: str) -> dict[str, Any]:
        """Keyword arguments of a metric besides ``data_range``."""
        return {}

    def group_of(self, image: str) -> str | None:
        """The photo that an image was cut from, or None where its name does not tell."""
        if self.group_pattern is None:
            return None
        match = re.search(self.group_pattern, image)
        return match["group"] if match else None

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["shape"] = list(self.shape)
        data["metrics"] = list(self.metrics)
        data["columns"] = [asdict(column) for column in self.columns]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, source: str = "protocol") -> Protocol:
        """Check data as :meth:`to_json` or a TOML file gives it, and make the protocol of it.

        Raises
        ------
        ProtocolError
            A key is unknown, missing or has a wrong value; the message names ``source`` and the key.
        """
        table = Table(data, source, ProtocolError)
        table.refuse_unknown({field.name for field in fields(cls)})
        metrics = _metrics(table)
        max_value = table.integer("max_value", 1, LARGEST_UINT16)
        return cls(
            name=table.text("name"),
            title=table.text("title"),
            dtype=table.choice("dtype", ("uint16",)),
            shape=_shape(table),
            level_scale=table.number("level_scale"),
            max_value=max_value,
            white_level=table.integer("white_level", 1, max_value),
            metrics=metrics,
            columns=_columns(table, metrics),
            tolerance=table.number("tolerance", may_be_zero=True),
            group_pattern=_group_pattern(table),
        )


def available_protocols() -> list[str]:
    """Names of the protocols that ship with Bayerboard, sorted."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _protocol_folder().iterdir() if entry.name.endswith(".toml")
    )


def load_protocol(name: str) -> Protocol:
    """A protocol that ships with Bayerboard.

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


def parse_protocol(text: str, *, source: str) -> Protocol:
    """A protocol from the text of a TOML file; ProtocolError names ``source`` and the key that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError(f"{source}: not TOML: {error}") from error
    return Protocol.from_json(data, source=source)


def _protocol_folder() -> Traversable:
    return resources.files("scoring") / "protocols"


def _shape(table: Table) -> tuple[int, int, int]:
    height, width, channels = table.shape("shape", dimensions=3, least_side=MIN_SIDE_PX)
    return height, width, channels


def _metrics(table: Table) -> tuple[str, ...]:
    names = table.items("metrics")
    for name in names:
        if name not in list(METRICS):
            raise table.fault("metrics", f"{name!r} is not a metric (known: {', '.join(METRICS)})")
    if len(set(names)) < len(names):
        raise table.fault("metrics", "names a metric twice")
    return tuple(names)


def _columns(table: Table, metrics: tuple[str, ...]) -> tuple[Column, ...]:
    columns: list[Column] = []
    for row in table.rows("columns"):
        row.refuse_unknown({field.name for field in fields(Column)})
        column = Column(
            key=row.choice("key", metrics),
            label=row.text("label"),
            direction="asc" if row.choice("direction", ("desc", "asc")) == "asc" else "desc",
            precision=row.integer("precision", 0, MAX_PRECISION),
            unit=row.text("unit", may_be_empty=True),
        )
        if column.key in (earlier.key for earlier in columns):
            raise row.fault("key", f"{column.key!r} is the key of an earlier column too")
        columns.append(column)
    return tuple(columns)


def _group_pattern(table: Table) -> str | None:
    if table.data.get("group_pattern") is None:
        return None
    pattern = table.text("group_pattern")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise table.fault("group_pattern", f"is not a regular expression: {error}") from error
    if "group" not in compiled.groupindex:
        raise table.fault("group_pattern", "must have a group named “group”: (?P<group>…)")
    return pattern
