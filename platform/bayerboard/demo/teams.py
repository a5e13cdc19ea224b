"""The demo's teams: their names, and the quality of their predictions."""

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
        "Demo: the references, a little dark, blurred and noisy.",
        ("--blur", "0.9", "--noise", "14", "--gain", "0.97", "--runtime", "0.018", "--device", "gpu"),
    ),
    DemoTeam(
        "grace",
        "Night Shift",
        "Noise-aware transformer",
        "Demo: the references with strong noise.",
        ("--noise", "26", "--gain", "1.02", "--runtime", "0.31", "--device", "gpu", "--extra-data"),
    ),
    DemoTeam(
        "emmy",
        "One Pixel Off",
        "Two-stage U-Net",
        "Demo: the references, one packed pixel to the right and down.",
        ("--shift", "1", "--noise", "12", "--runtime", "0.9"),
    ),
    DemoTeam(
        "hedy",
        "Gain Theory",
        "Dictionary of gains",
        "Demo: the references, 15 % too bright and blurred.",
        ("--gain", "1.15", "--blur", "1.2", "--runtime", "0.004"),
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
