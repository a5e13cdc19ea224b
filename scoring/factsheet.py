"""The fact sheet: the declarations in a participant's readme, read leniently.

The organisers' template has four lines, which their scorer reads by position::

    runtime per frame [s] : 0.0036
    CPU[1] / GPU[0] : 1
    Extra Data [1] / No Extra Data [0] : 0
    Other description : free text

Here a line's label decides its meaning, in any order and with any decoration; position only decides where the
labels do not.
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Device = Literal["cpu", "gpu"]

MAX_README_BYTES = 1 << 16
MAX_DESCRIPTION_CHARACTERS = 5_000

# A label longer than this is prose that happens to hold a colon.
_MAX_LABEL_CHARACTERS = 60
# The last is the colon of Chinese and Japanese keyboards.
_SEPARATOR = re.compile(r"[:=：]")
_DECORATION = " \t*_`|"
# In this order: "Runtime on GPU [s]" is a runtime.
_MEANINGS: Mapping[str, re.Pattern[str]] = {
    "runtime_s": re.compile(r"run[ -]?time|inference time|processing time|time per|latency"),
    "extra_data": re.compile(r"(extra|external|additional)[ -]?(training )?data"),
    "device": re.compile(r"\b[cg]pu\b(?! *(memory|ram|hours|days))|\bdevice\b|\bplatform\b|\bhardware\b"),
    "description": re.compile(r"description|\bmethod\b|^other\b"),
    "parameters": re.compile(r"\bparam(eter)?s?\b"),
    "macs": re.compile(r"\bg?macs?\b|multiply-accumulate"),
}
# The order of the organisers' template.
_POSITIONS = ("runtime_s", "device", "extra_data", "description")

_NUMBER = r"(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_BARE_NUMBER = re.compile(_NUMBER)
_QUANTITY = re.compile(rf"(?<![\w.,-])(?P<number>{_NUMBER})\s*(?P<unit>[A-Za-zµμ]*)")
_UNIT_IN_LABEL = re.compile(r"[\[(]\s*(?P<unit>[a-zµμ]+)")
_SECONDS_PER_UNIT: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
}
# Of parameters and multiply-accumulates: "0.2 M", "200k", "[G]".
_COUNT_PER_UNIT: Mapping[str, float] = {
    "": 1.0,
    **dict.fromkeys(("k", "thousand"), 1e3),
    **dict.fromkeys(("m", "million", "mparams", "mmacs"), 1e6),
    **dict.fromkeys(("g", "b", "billion", "gmac", "gmacs"), 1e9),
    **dict.fromkeys(("t", "tmac", "tmacs"), 1e12),
}
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+")
_COUNT = re.compile(rf"[~≈<≤ ]*(?P<number>{_THOUSANDS.pattern}(?![0-9])|{_NUMBER})\s*(?P<unit>[A-Za-z]*)(?![\w.,])")
# Numbers with these units are no times.
_RATES = frozenset({"fps", "hz", "frames", "images", "x"})
_FLAG = re.compile(r"[\[(]?\s*([01])(?:\.0*)?(?![\w.,])")
_DEVICE_FLAG = re.compile(r"(?P<device>cpu|gpu)\s*[\[(=]\s*(?P<flag>[01])")
_CPU_WORD = re.compile(r"\bcpu|\bintel\b|\bxeon\b|\bryzen\b")
_GPU_WORD = re.compile(r"\bgpu|\bcuda\b|\bnvidia\b|\b[rg]tx|\btesla\b|\btitan\b|\b[vah]100\b")
_YES_WORD = re.compile(r"\b(yes|true)\b")
_NO_WORD = re.compile(r"\b(no|none|not|false|without)\b")


@dataclass(frozen=True)
class FactSheet:
    """The declared values; None (or an empty description) where nothing could be read.

    Attributes
    ----------
    runtime_s
        Declared runtime per image in seconds.
    device
        The device that the runtime was declared for.
    extra_data
        Whether other data than the challenge's was used.
    description
        Free text, at most 5000 characters.
    parameters, macs
        Size of the model and multiply-accumulates per image: asked for by protocols that limit them.
    """

    runtime_s: float | None = None
    device: Device | None = None
    extra_data: bool | None = None
    description: str = ""
    parameters: float | None = None
    macs: float | None = None

    def missing(self) -> list[str]:
        """Return the names, for people, of the fields that the readme lacks; a description may stay empty."""
        values = {"runtime per image": self.runtime_s, "CPU or GPU": self.device, "extra data": self.extra_data}
        return [name for name, value in values.items() if value is None]

    def is_empty(self) -> bool:
        return self == FactSheet()

    def to_json(self) -> dict[str, Any]:
        counts = {"parameters": self.parameters, "macs": self.macs}
        return {
            "runtime_s": self.runtime_s,
            "device": self.device,
            "extra_data": self.extra_data,
            "description": self.description,
            **{name: count for name, count in counts.items() if count is not None},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FactSheet:
        """Read data of :meth:`to_json`; KeyError when a field is missing."""
        counts = data.get("parameters"), data.get("macs")
        return cls(data["runtime_s"], data["device"], data["extra_data"], data["description"], *counts)


@dataclass(frozen=True)
class _Line:
    """A line with a separator: the label in lower case, the value without decoration."""

    number: int
    label: str
    value: str


def parse_readme(data: bytes) -> FactSheet:
    """Read a fact sheet from a readme's bytes; a field that cannot be understood stays None. Never raises.

    Only the first 64 KiB count.
    """
    lines = _decode(data[:MAX_README_BYTES]).splitlines()
    claimed = _claim(list(_labelled(lines)))
    runtime, device, extra_data = (claimed.get(field) for field in _POSITIONS[:3])
    return FactSheet(
        runtime_s=_read_runtime(runtime) if runtime else None,
        device=_read_device(device) if device else None,
        extra_data=_read_extra_data(extra_data) if extra_data else None,
        description=_read_description(lines, claimed),
        parameters=_read_count(claimed.get("parameters")),
        macs=_read_count(claimed.get("macs")),
    )


def _decode(data: bytes) -> str:
    """Return the text of a file from any editor; bytes that are not text become the replacement character."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _labelled(lines: Iterable[str]) -> Iterator[_Line]:
    for number, line in enumerate(lines):
        separator = _SEPARATOR.search(line)
        if separator:
            label = line[: separator.start()].strip(_DECORATION).lower()
            yield _Line(number, label, line[separator.end() :].strip(_DECORATION))


def _claim(lines: list[_Line]) -> dict[str, _Line]:
    """Return the line of each field: by its label first, then by its place among the lines with a separator."""
    claimed: dict[str, _Line] = {}
    unclaimed = []
    for position, line in enumerate(lines):
        field = _meaning(line.label)
        if field is not None and field not in claimed:
            claimed[field] = line
        elif field is None and position < len(_POSITIONS):
            unclaimed.append((_POSITIONS[position], line))
    for field, line in unclaimed:
        # As strict as the organisers' scorer, or "Team: 3 Musketeers" would run for three seconds.
        if field not in claimed and (field == "description" or _BARE_NUMBER.fullmatch(line.value)):
            claimed[field] = line
    return claimed


def _meaning(label: str) -> str | None:
    if len(label) > _MAX_LABEL_CHARACTERS:
        return None
    return next((field for field, pattern in _MEANINGS.items() if pattern.search(label)), None)


def _read_runtime(line: _Line) -> float | None:
    """Return seconds: the first number with a unit of time, or the number that the value begins with."""
    quantities = list(_QUANTITY.finditer(line.value))
    for quantity in quantities:
        if quantity["unit"].lower() in _SECONDS_PER_UNIT:
            return _seconds(quantity["number"], quantity["unit"].lower())
    if not quantities or line.value[: quantities[0].start()].strip("~≈<≤ "):
        return None
    if quantities[0]["unit"].lower() in _RATES:
        return None
    unit = _UNIT_IN_LABEL.search(line.label)
    return _seconds(quantities[0]["number"], unit["unit"] if unit else "s")


def _seconds(number: str, unit: str) -> float | None:
    seconds = float(number.replace(",", ".")) * _SECONDS_PER_UNIT.get(unit, 1.0)
    return seconds if math.isfinite(seconds) else None


def _read_count(line: _Line | None) -> float | None:
    """Return the number at the start of the value, times the unit behind it or in the label; None if unclear."""
    found = _COUNT.match(line.value) if line else None
    if line is None or found is None:
        return None
    in_label = _UNIT_IN_LABEL.search(line.label)
    unit = found["unit"].lower() or (in_label["unit"] if in_label else "")
    number = found["number"].replace(",", "" if _is_grouped(found["number"], unit) else ".")
    count = float(number) * _COUNT_PER_UNIT.get(unit, math.nan)
    return count if math.isfinite(count) else None


def _is_grouped(number: str, unit: str) -> bool:
    """Return whether commas group thousands: 1,940,000 and 1,940, but not 0,194 and not 1,940 M."""
    groups = number.count(",")
    return groups > 1 or (groups == 1 and not unit and _THOUSANDS.fullmatch(number) is not None)


def _read_device(line: _Line) -> Device | None:
    """Return the device that the number and the words name; None where they contradict each other."""
    value = line.value.lower()
    said: set[Device] = set()
    flag = _FLAG.match(value)
    if flag:
        said.add(_device_flags(line.label)[flag[1]])
    if _CPU_WORD.search(value):
        said.add("cpu")
    if _GPU_WORD.search(value):
        said.add("gpu")
    return said.pop() if len(said) == 1 else None


def _device_flags(label: str) -> dict[str, Device]:
    """Return the meaning of 0 and 1: the template's CPU[1] / GPU[0], unless the label says otherwise."""
    flags: dict[str, Device] = {"1": "cpu", "0": "gpu"}
    for found in _DEVICE_FLAG.finditer(label):
        flags[found["flag"]] = "cpu" if found["device"] == "cpu" else "gpu"
    return flags


def _read_extra_data(line: _Line) -> bool | None:
    value = line.value.lower()
    flag = _FLAG.match(value)
    if flag:
        return flag[1] == "1"
    yes, no = bool(_YES_WORD.search(value)), bool(_NO_WORD.search(value))
    return yes if yes != no else None


def _read_description(lines: list[str], claimed: Mapping[str, _Line]) -> str:
    """Return the text from the label of the description to the next line of another field."""
    if "description" not in claimed:
        return ""
    first = claimed["description"]
    after = [line.number for line in claimed.values() if line.number > first.number]
    text = "\n".join([first.value, *lines[first.number + 1 : min(after, default=len(lines))]])
    kept = "".join(character for character in text if character.isprintable() or character in "\n\t")
    return kept.strip()[:MAX_DESCRIPTION_CHARACTERS]
