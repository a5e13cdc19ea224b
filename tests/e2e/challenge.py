"""A small challenge on disk: its YAML file, and the data that it names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from scoring.protocol import load_protocol
from tests.factories import degrade, jpg_bytes, make_packed_raw, write_zip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    PackedRaw = NDArray[np.uint16]

# The tracks that are not named after theirs.
PROTOCOLS = {"sr": "ntire24-raw-sr"}


@dataclass(frozen=True)
class PhaseData:
    """A phase, its references, and its options in the YAML file."""

    track: str
    slug: str
    references: Mapping[str, PackedRaw]
    options: Mapping[str, Any] = field(default_factory=dict)
    # Without these, noise of the right size.
    inputs: Mapping[str, bytes] | None = None
    # The archives written so far, by noise and seed. One of hundreds of images takes seconds to make.
    _written: dict[tuple[float, int], Path] = field(default_factory=dict)

    @property
    def protocol(self) -> str:
        return PROTOCOLS.get(self.track, f"aim22-{self.track}")

    def path(self, challenge: str) -> str:
        return f"{challenge}/{self.track}/{self.slug}"

    def predictions(self, sigma: float, seed: int = 0) -> dict[str, PackedRaw]:
        """Return the references with noise of `sigma` levels."""
        return {
            name: degrade(image, sigma, seed + place) for place, (name, image) in enumerate(self.references.items())
        }

    def zip(self, path: Path, sigma: float, seed: int = 0) -> Path:
        """Write predictions with noise of `sigma` levels as a submission, which nobody changes later."""
        if first := self._written.get((sigma, seed)):
            os.link(first, path)
            return path
        self._written[sigma, seed] = path
        return write_zip(path, self.predictions(sigma, seed))


def smooth_references(track: str, names: Sequence[str], seed: int = 0) -> dict[str, PackedRaw]:
    """Return references of the track's size: one image, shifted a little further each time."""
    image = make_packed_raw(load_protocol(f"aim22-{track}"), seed)
    return {name: np.roll(image, 5 * place, axis=0) for place, name in enumerate(names)}


def write_challenge(folder: Path, slug: str, phases: Sequence[PhaseData], **options: Any) -> Path:
    """Write a challenge's YAML file and data; return the file."""
    now = datetime.now(UTC)
    tracks: dict[str, dict[str, Any]] = {}
    for phase in phases:
        track = tracks.setdefault(
            phase.track,
            {
                "slug": phase.track,
                "title": f"Track {phase.track.upper()}",
                "summary": "A track to try things on.",
                "protocol": phase.protocol,
                "baselines": ["mosaic"],
                "phases": [],
            },
        )
        data = f"{slug}/{phase.track}/{phase.slug}"
        _write_data(folder / data, phase)
        track["phases"].append(
            {
                "slug": phase.slug,
                "title": phase.slug.title(),
                "starts_at": f"{now - timedelta(days=2):%Y-%m-%d %H:%M}",
                "quota_per_day": 50,
                "inputs": f"{data}/rgb",
                "reference": f"{data}/raw",
                **phase.options,
            }
        )
    texts = {"slug": slug, "title": slug.title(), "terms": "Be *fair*.", "time_zone": zone_at_noon(now)}
    content = {**texts, **options, "tracks": list(tracks.values())}
    file = folder / f"{slug}.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return file


def zone_at_noon(now: datetime) -> str:
    """Return a time zone where it is noon: no quota's day ends in the middle of a test."""
    hours = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-hours:+d}"  # POSIX's sign: what is east of Greenwich counts down


def _write_data(folder: Path, phase: PhaseData) -> None:
    rgb, raw = folder / "rgb", folder / "raw"
    rgb.mkdir(parents=True, exist_ok=True)
    raw.mkdir(exist_ok=True)
    same = jpg_bytes(load_protocol(phase.protocol), seed=1)
    for name, image in phase.references.items():
        (rgb / f"{name}.jpg").write_bytes(phase.inputs[name] if phase.inputs else same)
        np.save(raw / f"{name}.npy", image)
