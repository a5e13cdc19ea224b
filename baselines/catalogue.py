"""The baselines that ship with Bayerboard, as the site lists them.

Nothing here imports a method's model, so that the web process needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from baselines.errors import BaselineError
from baselines.tracks import TRACKS

PACKAGE = Path(__file__).parent


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
        Its name on the command line; also the folder below ``baselines/``.
    title, summary
        For people: a short title, and one or two sentences.
    card
        Markdown file that describes the method, its data and its limits.
    needs_torch
        Whether it runs only where the ``baselines`` extra is installed.
    tracks
        Names of the tracks it can predict for.
    trained
        Whether it has weights that were learned; the others are formulas.
    """

    name: str
    title: str
    summary: str
    card: Path
    needs_torch: bool
    tracks: tuple[str, ...]
    trained: bool = False

    @property
    def protocols(self) -> tuple[str, ...]:
        """Names of the scoring protocols of its tracks."""
        return tuple(TRACKS[track].protocol for track in self.tracks)

    @property
    def module(self) -> str:
        """Dotted name of the module that holds the method."""
        return f"baselines.{self.name}.model"

    def weights(self, track: str) -> Path:
        """Return the file of the weights that ship with the method for a track."""
        return PACKAGE / self.name / "weights" / f"{track}.safetensors"


def _method(name: str, title: str, summary: str, tracks: tuple[str, ...], *, trained: bool = False) -> Method:
    card = PACKAGE / name / "CARD.md"
    return Method(name, title, summary, card, needs_torch=trained, tracks=tracks, trained=trained)


METHODS: list[Method] = [
    _method(
        "mosaic",
        "Mosaic (dummy)",
        "Samples the display RGB behind an RGGB filter and undoes nothing: the organisers' dummy "
        "submission, and the floor of the leaderboard.",
        ("s7", "p20"),
    ),
    _method(
        "upi",
        "Unprocessing (UPI)",
        "Undoes tone curve, gamma, colour matrix and white balance by the formulas of Brooks et al., with the "
        "track's camera and mean gains. Nothing is learned.",
        ("s7", "p20"),
    ),
    _method(
        "unet",
        "U-Net baseline",
        "The organisers' U-Net, 1.86 M parameters, trained on crops of synthetic pairs.",
        ("s7", "p20"),
        trained=True,
    ),
    _method(
        "mbispld",
        "MBISPLD",
        "A model-based ISP with learnable dictionaries: runs in both directions, and its gains and colour "
        "matrices can be read.",
        ("s7", "p20"),
        trained=True,
    ),
    _method(
        "learned_isp",
        "Learned ISP",
        "The Mobile AI 2022 network, 6,805 parameters: develops RAW to RGB, and runs on phones as TFLite.",
        ("mai22",),
        trained=True,
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
