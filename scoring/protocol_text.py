"""A protocol in plain words."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from scoring.metrics.parameters import PARAMETERS
from scoring.shapes import is_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoring.protocol import Column, Protocol

_WIDTH = 100

_FILES = {
    "npy": ".npy files (numpy.save)",
    "npz": ".npz files with raw and max_val (numpy.savez)",
    "png": ".png pictures, RGB with 8 bits",
    "jpg": ".jpg pictures, RGB with 8 bits",
}
_METRICS = {
    "psnr": "PSNR in dB over all pixels and channels, 999 for identical images",
    "ssim": "SSIM, the mean over the channels",
    "ms_ssim": "multi-scale SSIM over five scales, the mean over the channels",
    "kl": "Kullback–Leibler divergence of the histograms in nats, the mean over the channels",
    "delta_e": "mean colour difference CIEDE2000 of sRGB",
    "mae": "mean absolute error as a fraction of the level scale",
}


def explain(protocol: Protocol) -> str:
    """Describe a protocol in sentences for organisers and participants; lines of at most 100 characters."""
    blocks = [f"{protocol.name}: {protocol.title}", "", *_wrapped("", _images(protocol)), "", "Each image:"]
    for key in protocol.metrics:
        blocks += _wrapped("  - ", _metric(protocol, key))
    blocks += ["", "The leaderboard compares, in this order:"]
    for number, column in enumerate(protocol.ranked_columns, start=1):
        blocks += _wrapped(f"  {number}. ", _column(protocol, column))
    declared = [column for column in protocol.columns if column.is_declared]
    if declared:
        blocks += ["", "It also shows, without ranking by them, values that rest on declared operands:"]
    for column in declared:
        blocks += _wrapped("  - ", _column(protocol, column))
    for paragraph in _more(protocol):
        blocks += ["", *_wrapped("", paragraph)]
    return "\n".join(blocks)


def _wrapped(bullet: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet))


def _images(protocol: Protocol) -> str:
    if is_open(protocol.shape):
        shape = f"Every image has the height and width of its reference, and {protocol.channels} channels"
    else:
        height, width, channels = protocol.shape
        shape = f"Every image is {height} × {width} pixels with {channels} channels"
    if protocol.level_scale is None:
        levels = "the max_val of its reference, which counts as 1.0, is the largest allowed"
    else:
        levels = f"{protocol.level_scale:g} counts as 1.0, and {protocol.max_value} is the largest allowed"
    return f"{shape}, in {_FILES[protocol.container]}; values are {protocol.dtype}: {levels}."


def _metric(protocol: Protocol, key: str) -> str:
    settings = protocol.settings_of(key)
    set_here = dict(settings.parameters)
    values = [
        f"{name} {set_here.get(name, parameter.default)}" for name, parameter in PARAMETERS[settings.metric].items()
    ]
    channel = [] if settings.channel is None else [f"of channel {settings.channel} alone"]
    details = ", ".join([*channel, *values])
    return f"{key}: {_METRICS[settings.metric]}{f' ({details})' if details else ''}"


def _column(protocol: Protocol, column: Column) -> str:
    if column.formula is not None:
        value = f"is {column.formula}"
    elif column.subset is not None:
        value = f"is the mean of {column.metric} over the images of {column.subset}"
    else:
        value = f"is the mean of {column.key} over all images"
    better = "higher" if column.direction == "desc" else "lower"
    tolerance = protocol.tolerance if column.tolerance is None else column.tolerance
    unit = f" [{column.unit}]" if column.unit else ""
    equal = f"values within {tolerance:g} are equal; shown with {column.precision} decimals"
    return f"{column.label}{unit} {value}; {better} is better; {equal}."


def _more(protocol: Protocol) -> Iterator[str]:
    if protocol.subsets:
        how = "its name" if protocol.subset_pattern is not None else "subsets.json in the reference set"
        yield f"Subsets: {', '.join(protocol.subsets)}; {how} says which one an image belongs to."
    if protocol.group_pattern is not None:
        yield f"Images are tiles of photos: a name tells its photo by {protocol.group_pattern}"
    for limit, what in ((protocol.max_parameters, "parameters"), (protocol.max_macs, "MACs")):
        if limit is not None:
            yield f"Eligible with at most {limit:,.0f} {what}, as declared in the readme; others are scored and marked."
    yield from (f"Note: {note}" for note in protocol.notes)
