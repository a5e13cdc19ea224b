"""The baselines that ship with Bayerboard, as the site lists them.

Nothing here imports a method's model, so that the web process needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from baselines.errors import BaselineError
from baselines.tracks import TRACKS


class UnknownMethod(BaselineError, KeyError):
    """A baseline was asked for by a name that the catalogue does not have."""

    def __init__(self, name: str) -> None:
        self.name = name
        known = ", ".join(method.name for method in METHODS)
        self.text = f"There is no baseline called {name!r}. Known: {known}."
        super().__init__(self.text)

    def __str__(self) -> str:
        # KeyError would show its argument in quotes
        return self.text


@dataclass(frozen=True)
class Method:
    """One baseline.

    Attributes
    ----------
    name
        What it is called on the command line; also the folder below ``baselines/``.
    title, summary
        For people: a short title, and one or two sentences.
    card
        Markdown file that describes the method, its data and its limits.
    needs_torch
        Whether it runs only where the ``baselines`` extra is installed.
    tracks
        Names of the tracks it can predict for.
    """

    name: str
    title: str
    summary: str
    card: Path
    needs_torch: bool
    tracks: tuple[str, ...]

    @property
    def protocols(self) -> tuple[str, ...]:
        """Names of the scoring protocols of its tracks."""
        return tuple(TRACKS[track].protocol for track in self.tracks)

    @property
    def module(self) -> str:
        """Dotted name of the module that holds ``predict_packed_raw``."""
        return f"baselines.{self.name}.model"


METHODS: list[Method] = [
    Method(
        name="mosaic",
        title="Mosaic (dummy)",
        summary=(
            "Samples the display RGB behind an RGGB filter and undoes nothing: the organisers' dummy "
            "submission, and the floor of the leaderboard."
        ),
        card=Path(__file__).parent / "mosaic" / "CARD.md",
        needs_torch=False,
        tracks=("s7", "p20"),
    ),
]


def get_method(name: str) -> Method:
    """Return the method of that name.

    Raises
    ------
    UnknownMethod
        If there is none; its text lists those there are.
    """
    for method in METHODS:
        if method.name == name:
            return method
    raise UnknownMethod(name)
