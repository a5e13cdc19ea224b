"""The dictionaries of a trained MBISPLD in words: its gains and its colour matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baselines.mbispld.model import Mbispld


def describe(network: Mbispld) -> str:
    """Return a line for every atom, the exponent of the display and the width of the lens."""
    lines = ["white balance atoms: gain of all colours, of red, of blue"]
    for number, atom in enumerate(network.gains.atoms().tolist()):
        lines.append(f"  {number}: " + "  ".join(f"{value:.3f}" for value in atom))
    lines.append("colour atoms: linear sRGB to the camera's red, green, blue; every row sums to 1")
    for number, matrix in enumerate(network.colours.atoms().tolist()):
        rows = " / ".join(" ".join(f"{value:6.3f}" for value in row) for row in matrix)
        lines.append(f"  {number}: {rows}")
    down, across = network.shading.sigma.tolist()
    lines.append(f"exponent of the display {float(network.gamma.detach()):.3f}")
    lines.append(
        f"width of the lens's Gaussian, in half sides of the photo: {abs(down):.2f} down, {abs(across):.2f} across"
    )
    return "\n".join(lines)
