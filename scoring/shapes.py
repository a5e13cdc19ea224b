"""Shapes of images, of which height and width may be left open: then 0 stands for them."""

from __future__ import annotations

OPEN_SIDE = 0


def is_open(expected: tuple[int, ...]) -> bool:
    """Return whether height and width are those of the reference, which this shape does not tell."""
    return OPEN_SIDE in expected


def fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Return whether an image has the expected shape, as far as that is known."""
    if len(shape) != len(expected) or min(shape, default=0) < 1:
        return False
    return all(wanted in (OPEN_SIDE, side) for side, wanted in zip(shape, expected, strict=True))


def shape_label(expected: tuple[int, ...]) -> str:
    """Return a shape for people: ``(252, 252, 4)``, or ``(height, width, 4)`` where two sides are open."""
    return f"(height, width, {expected[-1]})" if is_open(expected) else f"{expected}"
