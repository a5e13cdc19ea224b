"""A challenge to send to: references and inputs as files, its YAML, and submissions of the true size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import yaml
from PIL import Image

from benchmarks.data import make_test_set

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.site.sites import Site

SLUG = "measured"
PHASE = f"{SLUG}/s7/test"


@dataclass(frozen=True)
class Measured:
    """The challenge on a site, and a zip that is right for it."""

    phase: str
    images: int
    submission: Path

    @property
    def submission_mb(self) -> float:
        return self.submission.stat().st_size / 1e6


def participants(site: Site, number: int) -> list[dict[str, str]]:
    """Make so many, each a team; return their cookies."""
    made: list[dict[str, str]] = site.module("benchmarks.site.people", SLUG, str(number))
    return made


def create(site: Site, folder: Path, images: int) -> Measured:
    """Create the challenge with one S7 phase of so many images, by `create_challenge`."""
    reference, _, submission = make_test_set(folder, images)
    inputs = folder / "inputs"
    inputs.mkdir()
    picture = BytesIO()
    Image.new("RGB", (504, 504), "grey").save(picture, "JPEG")
    for file in reference.iterdir():
        (inputs / f"{file.stem}.jpg").write_bytes(picture.getvalue())
    phase = {
        "slug": "test",
        "title": "Test",
        "starts_at": f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d %H:%M}",
        "quota_per_day": 1000,
        "quota_total": 1000,
        "inputs": str(inputs),
        "reference": str(reference),
    }
    track = {"slug": "s7", "title": "S7", "protocol": "aim22-s7", "phases": [phase]}
    file = folder / "challenge.yaml"
    file.write_text(yaml.safe_dump({"slug": SLUG, "title": "Measured", "terms": "Be fair.", "tracks": [track]}))
    site.manage("migrate", "--verbosity", "0")
    site.manage("create_challenge", str(file))
    return Measured(PHASE, images, submission)
