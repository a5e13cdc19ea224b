"""The demo's teams: what they are called, and how good their predictions are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoTeam:
    """A team of one, whose predictions are degraded copies of the references."""

    username: str
    name: str
    method: str
    description: str
    # Options of `python -m baselines data degrade`: what is done to the references, and what the readme declares.
    degrade: tuple[str, ...]
    phases: tuple[str, ...] = ("development", "test")


TEAMS = (
    DemoTeam(
        "ada",
        "Bayer Street",
        "Learned inverse tone curve",
        "Demo: the references, slightly blurred and noisy.",
        ("--blur", "0.45", "--noise", "5", "--runtime", "0.018", "--device", "gpu"),
    ),
    DemoTeam(
        "grace",
        "Night Shift",
        "Noise-aware transformer",
        "Demo: the references with strong noise.",
        ("--noise", "14", "--runtime", "0.31", "--device", "gpu", "--extra-data"),
    ),
    DemoTeam(
        "emmy",
        "Half a Pixel",
        "Two-stage U-Net",
        "Demo: the references, half a packed pixel to the right and down.",
        ("--shift", "0.5", "--noise", "3", "--runtime", "0.9"),
    ),
    DemoTeam(
        "hedy",
        "Gain Theory",
        "Dictionary of gains",
        "Demo: the references, 6 % too bright and blurred.",
        ("--gain", "1.06", "--blur", "0.8", "--runtime", "0.004"),
    ),
    DemoTeam(
        "lise",
        "Zip Happens",
        "First try",
        "Demo: a broken archive, to see what its page says.",
        ("--broken", "--noise", "8", "--runtime", "0.05"),
        phases=("development",),
    ),
)
