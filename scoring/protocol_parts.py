"""The parts of a protocol, and how they are read from unchecked data."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scoring.formula import FUNCTION_NAMES, Formula, FormulaError
from scoring.metrics import METRICS
from scoring.metrics.parameters import PARAMETERS, PRESETS, Value, least_side_px
from scoring.operands import DECLARED_NAMES
from scoring.table import Fault, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoring.ranking import Direction
    from scoring.table import Table

MAX_PRECISION = 10
MAX_CHANNELS = 64
# Words that stand for a number in a protocol's file.
PER_FILE = "per file"
OF_REFERENCE = "reference"
# Container → the type of its values, which is also the suffix of its files.
CONTAINERS: Mapping[str, str] = MappingProxyType({"npy": "uint16", "npz": "uint16", "png": "uint8", "jpg": "uint8"})

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Column:
    """One column of a leaderboard.

    Attributes
    ----------
    key
        Where its value stands in a report: a metric's key, or a name of its own with ``subset`` or ``formula``.
    precision
        The decimals that are shown; nothing is ever compared rounded.
    metric, subset
        The mean of this metric over the images of this subset.
    formula
        An expression over metrics, subset columns and the fact sheet: see :mod:`scoring.formula`.
    tolerance
        Values that are this near to each other are equal; None for the protocol's.
    declared_operands
        Whether the formula may use operands that a fact sheet declares. Of the snapshots of older tracks none says so,
        and those whose formulas use some count as if they did.
    """

    key: str
    label: str
    direction: Direction
    precision: int
    unit: str
    metric: str | None = None
    subset: str | None = None
    formula: str | None = None
    tolerance: float | None = None
    declared_operands: bool | None = None

    @property
    def formula_names(self) -> frozenset[str]:
        """The names that the column's formula needs a value for; none without a formula."""
        return frozenset() if self.formula is None else Formula.parse(self.formula).names

    @property
    def is_declared(self) -> bool:
        """Whether the value rests on operands that a fact sheet declares: then it takes no part in the order."""
        return not self.formula_names.isdisjoint(DECLARED_NAMES)

    def to_json(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


COLUMN_KEYS = tuple(field.name for field in fields(Column))


@dataclass(frozen=True)
class MetricSettings:
    """A protocol's settings of one of its metrics: only those that differ from the metric's own defaults.

    Attributes
    ----------
    key
        The metric's key in this protocol.
    metric
        The key of ``METRICS`` that it is computed by.
    channel
        The only channel that it sees; None for all.
    parameters
        Names and values, by name.
    """

    key: str
    metric: str
    channel: int | None = None
    parameters: tuple[tuple[str, Value], ...] = ()

    def to_json(self) -> dict[str, Any]:
        named = {} if self.metric == self.key else {"metric": self.metric}
        channel = {} if self.channel is None else {"channel": self.channel}
        return {**named, **channel, **dict(self.parameters)}


def read_metrics(table: Table) -> tuple[MetricSettings, ...]:
    """Return the metrics in their order, each with its settings in ``[parameters.KEY]``."""
    keys = table.items("metrics")
    given = table.table("parameters")
    for key in keys:
        known = key in list(METRICS) or (isinstance(key, str) and key in given.data)
        if not known:
            raise table.fault("metrics", f"{shown(key)} is not a metric (known: {', '.join(METRICS)})")
        if not _KEY.fullmatch(key):
            raise table.fault("metrics", f"{shown(key)} must be small letters, digits and _")
    if len(set(keys)) < len(keys):
        raise table.fault("metrics", "names a metric twice")
    for key in given.data:
        if key not in keys:
            raise given.fault(key, "is not one of this protocol's metrics")
    return tuple(_read_settings(key, given.table(key)) for key in keys)


def _read_settings(key: str, row: Table) -> MetricSettings:
    metric = key
    if key not in METRICS:
        metric = row.choice("metric", tuple(METRICS))
    elif row.data.get("metric", key) != key:
        raise row.fault("metric", f"must be {key!r}, as that is a metric itself")
    known = PARAMETERS[metric]
    row.refuse_unknown({"metric", "channel", *known, *(["preset"] if metric in PRESETS else [])})
    channel = row.integer("channel", 0, MAX_CHANNELS - 1) if "channel" in row.data else None
    if metric == "delta_e" and channel is not None:
        raise row.fault("channel", "means nothing for a colour difference")
    values: dict[str, Value] = {}
    if "preset" in row.data:
        values.update(PRESETS[metric][row.choice("preset", tuple(PRESETS[metric]))])
    for name, parameter in known.items():
        if name in row.data:
            reason = parameter.fault(row.data[name])
            if reason is not None:
                raise row.fault(name, reason)
            values[name] = type(parameter.default)(row.data[name])
    changed = sorted((name, value) for name, value in values.items() if value != known[name].default)
    return MetricSettings(key, metric, channel, tuple(changed))


def least_side_of(metrics: Sequence[MetricSettings]) -> int:
    """Return the fewest rows and columns that all of these metrics can work with."""
    return max(least_side_px(settings.metric, dict(settings.parameters)) for settings in metrics)


def read_columns(table: Table, metrics: Sequence[str], subsets: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns in their order; all mistakes of all columns are remembered in the table."""
    rows = table.rows("columns")
    operands = {*metrics, *DECLARED_NAMES, *(str(row.data.get("key")) for row in rows if "subset" in row.data)}
    found = [(row, row.attempt(partial(_read_column, row, metrics, subsets, operands))) for row in rows]
    keys: set[str] = set()
    for row, column in found:
        if column is not None and column.key in keys:
            row.faults.append(Fault(f"{row.prefix}key", f"{column.key!r} is the key of an earlier column too"))
        elif column is not None:
            keys.add(column.key)
    return tuple(column for _, column in found if column is not None)


def _read_column(row: Table, metrics: Sequence[str], subsets: Sequence[str], operands: set[str]) -> Column:
    row.refuse_unknown(COLUMN_KEYS)
    metric = subset = formula = None
    if row.data.get("formula") is not None:
        if row.data.get("subset") is not None or row.data.get("metric") is not None:
            raise row.fault("formula", "cannot stand beside a metric or a subset")
        key, formula = _own_key(row, metrics), _read_formula(row, operands)
    elif row.data.get("subset") is not None:
        if not subsets:
            raise row.fault("subset", "needs the protocol's list of subsets")
        key, metric, subset = _own_key(row, metrics), row.choice("metric", metrics), row.choice("subset", subsets)
    elif row.data.get("metric") is not None:
        raise row.fault("metric", "needs a subset; a column of all images has the metric as its key")
    else:
        key = row.choice("key", metrics)
    return Column(
        key=key,
        label=row.text("label"),
        direction="asc" if row.choice("direction", ("desc", "asc")) == "asc" else "desc",
        precision=row.integer("precision", 0, MAX_PRECISION),
        unit=row.text("unit", may_be_empty=True),
        metric=metric,
        subset=subset,
        formula=formula,
        tolerance=row.number("tolerance", may_be_zero=True) if row.data.get("tolerance") is not None else None,
        declared_operands=_read_declared(row, formula),
    )


def _read_declared(row: Table, formula: str | None) -> bool | None:
    if "declared_operands" not in row.data:
        return None
    if row.data["declared_operands"] is not True:
        raise row.fault("declared_operands", f"must be true or left out, not {shown(row.data['declared_operands'])}")
    if formula is None or Formula.parse(formula).names.isdisjoint(DECLARED_NAMES):
        raise row.fault("declared_operands", f"needs a formula with one of {', '.join(DECLARED_NAMES)}")
    return True


def _own_key(row: Table, metrics: Sequence[str]) -> str:
    key = row.text("key")
    if not _KEY.fullmatch(key):
        raise row.fault("key", f"must be small letters, digits and _, not {shown(key)}")
    if key in metrics or key in METRICS or key in DECLARED_NAMES or key in FUNCTION_NAMES:
        raise row.fault("key", f"{key!r} already means something else")
    return key


def _read_formula(row: Table, operands: set[str]) -> str:
    text = row.text("formula")
    try:
        formula = Formula.parse(text)
    except FormulaError as error:
        raise row.fault("formula", str(error)) from error
    unknown = sorted(formula.names - operands)
    if unknown:
        raise row.fault("formula", f"{shown(unknown[0])} is not known (known: {', '.join(sorted(operands))})")
    return text


def read_texts(table: Table, key: str) -> tuple[str, ...]:
    """Return a list of different texts; an empty one where the key is absent."""
    if not table.data.get(key):
        return ()
    texts = table.items(key)
    if not all(isinstance(text, str) and text for text in texts) or len(set(texts)) < len(texts):
        raise table.fault(key, f"must be different texts, not {shown(texts)}")
    return tuple(texts)


def read_pattern(table: Table, key: str, group: str) -> str | None:
    """Return a regular expression with a group of this name; None where the key is absent."""
    if table.data.get(key) is None:
        return None
    pattern = table.text(key)
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise table.fault(key, f"is not a regular expression: {error}") from error
    if group not in compiled.groupindex:
        raise table.fault(key, f"must have a group named “{group}”: (?P<{group}>…)")
    return pattern
