"""How numbers, dates, sizes and the organisers' Markdown look on a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeGuard
from zoneinfo import ZoneInfo

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince, timeuntil
from markdown_it import MarkdownIt

from scoring.manifest import Manifest
from scoring.shapes import is_open
from scoring.shown import NOTHING, shown_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from scoring.protocol import Column, Protocol

register = template.Library()

# From which value on a unit is used. Models have their sizes in millions: 0.19 M, not 190 k.
_AMOUNTS = (("T", 1e12, 1e12), ("G", 1e9, 1e9), ("M", 1e6, 1e4), ("", 1, 0))
_HEADLINES = 3
_SIZES = ("bytes", "KB", "MB", "GB", "TB")
# Raw HTML stays text: an organiser's page must not be able to run anything either.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(
    ["table", "replacements", "smartquotes"]
)
# A page's own title is its one h1; what organisers write begins below it.
_TOP_HEADING = 2


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one of the pictures in icons.svg; it says nothing to a screen reader."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("bayerboard/icons.svg"),
        name,
    )


@register.filter
def get(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """Look a key up that only a variable knows."""
    return None if mapping is None else mapping.get(key)


# Django gives a filter the empty string for what it cannot find, such as a field of a missing fact sheet.
def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


@register.filter
def score(value: float | str | None, column: Column) -> str:
    """Show a value with the protocol's precision and at most six digits; the stored one stays unrounded."""
    return shown_text(value, column.precision) if _is_number(value) else NOTHING


@register.filter
def headlines(columns: Sequence[Column]) -> list[Column]:
    """Keep the columns that fit on one line, of all images together: who sees subsets is for a page to decide."""
    return [column for column in columns if column.subset is None][:_HEADLINES]


@register.filter
def plain(value: float) -> str:
    """Show a number without an exponent or idle zeros: 1e-06 → 0.000001, 1024.0 → 1024."""
    text = f"{value:.12f}"
    return text.rstrip("0").rstrip(".")


@register.filter
def seconds(value: float | str | None) -> str:
    """Show a declared run time: 0.0036 → 3.6 ms, 25.3 → 25.3 s."""
    if not _is_number(value) or value < 0:
        return NOTHING
    if 0 < value < 1:
        return f"{value * 1000:.3g} ms" if value < 0.9995 else "1 s"
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


@register.filter
def amount(value: float | str | None) -> str:
    """Show a declared count with a unit: 190000 → 0.19 M, 12.5e9 → 12.5 G, 850 → 850."""
    if not _is_number(value) or value < 0:
        return NOTHING
    unit, factor = next((unit, factor) for unit, factor, least in _AMOUNTS if value >= least)
    return f"{value / factor:.4g} {unit}".rstrip()


@register.filter
def limits(protocol: Protocol) -> str:
    """Say how large a protocol lets a model be: at most 0.3 M parameters and 20 G MACs per image."""
    bounds = [(protocol.max_parameters, "parameters"), (protocol.max_macs, "MACs per image")]
    return "at most " + " and ".join(f"{amount(most)} {unit}" for most, unit in bounds if most)


@register.filter
def size(value: int | None) -> str:
    """Show a number of bytes in decimal units: 61235112 → 61.2 MB, 500000000 → 500 MB."""
    if value is None:
        return NOTHING
    amount, unit = float(value), 0
    while amount >= 999.95 and unit < len(_SIZES) - 1:
        amount, unit = amount / 1000, unit + 1
    if not unit:
        return plural(value, "byte")
    return f"{amount:.{1 if amount < 99.95 else 0}f} {_SIZES[unit]}"


@register.filter
def shape(value: tuple[int, ...] | list[int]) -> str:
    """Show an array's shape: (252, 252, 4) → 252 × 252 × 4."""
    return " × ".join(str(length) for length in value)


@register.simple_tag
def expected_shape(protocol: Protocol, manifest: Manifest | str) -> str:
    """Say which shape images must have, as far as it is known: 512 × 512 × 4, or how it differs."""
    # Of a track without phases the template finds the empty string.
    files = manifest.files if isinstance(manifest, Manifest) else ()
    shapes = sorted({file.shape for file in files}, key=math.prod) or [protocol.shape]
    if is_open(protocol.shape) and (not files or any(is_open(shape) for shape in shapes)):
        return f"that of each reference × {protocol.channels}"
    if len(shapes) == 1:
        return shape(shapes[0])
    return f"differs from image to image, {shape(shapes[0])} to {shape(shapes[-1])}"


@register.filter
def short(value: str | None) -> str:
    """Shorten a sha256 to the characters that a person compares."""
    return value[:12] if value else NOTHING


@register.simple_tag
def moment(value: datetime | None, zone: str | ZoneInfo | None = None) -> SafeString:
    """Show a date with its time zone, readable by machines too: 3 Mar 2026, 23:59 CET."""
    if value is None:
        return SafeString(NOTHING)
    local = timezone.localtime(value, ZoneInfo(zone) if isinstance(zone, str) else zone)
    return format_html(
        '<time datetime="{}">{} {}, {} {}</time>',
        local.isoformat(timespec="seconds"),
        local.day,
        local.strftime("%b %Y"),
        local.strftime("%H:%M"),
        local.tzname() or "",
    )


@register.simple_tag
def day(value: datetime, zone: ZoneInfo) -> SafeString:
    """Show the day in a time zone, and the moment to machines: 3 Mar 2026."""
    local = timezone.localtime(value, zone)
    return format_html(
        '<time datetime="{}">{} {}</time>', local.isoformat(timespec="seconds"), local.day, local.strftime("%b %Y")
    )


@register.simple_tag
def moment_ago(value: datetime) -> SafeString:
    """Say how long ago, and the moment to machines."""
    return moment_as(value, ago(value))


@register.simple_tag
def moment_as(value: datetime, text: str) -> SafeString:
    """Show a moment by a text, and the moment itself to machines."""
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


@register.filter
def ago(value: datetime | None) -> str:
    """Say how long ago: `3 hours ago`, `just now`."""
    if value is None:
        return NOTHING
    passed = timesince(value, depth=1)
    return "just now" if passed.startswith("0") else f"{passed} ago"


@register.filter
def left(value: datetime | None) -> str:
    """Say how long there still is: `2 days, 3 hours`."""
    return NOTHING if value is None else timeuntil(value, depth=2)


@register.filter
def plural(count: int, noun: str) -> str:
    """Count a thing: 1, "submission" → 1 submission; 2 → 2 submissions."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@register.filter
def markdown(text: str | None) -> SafeString:
    """Render Markdown without raw HTML, its headings below the page's title."""
    tokens = _MARKDOWN.parse(text or "")
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{max(_TOP_HEADING, int(token.tag[1]))}"
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return mark_safe(html)  # noqa: S308 - raw HTML is off, so all of this is the renderer's own
