"""Makes the demo's data with the baselines' own command, once: the site itself never imports them."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRACKS = ("s7", "p20")


@dataclass(frozen=True)
class Split:
    """A part of a track's data; photos never overlap between splits."""

    folder: str
    name: str
    first_photo: int
    seed: int = 2022


TRAINING = Split("training", "train", first_photo=1)
SPLITS = (
    TRAINING,
    Split("open", "development", first_photo=11),
    # Whoever knows the seed can make the hidden references: it is drawn anew, and kept nowhere.
    Split("hidden", "test", first_photo=21, seed=secrets.randbelow(2**31)),
)
PHOTOS, MOST_PHOTOS = 4, 10


class DemoFailed(Exception):
    """A step of the demo did not work; the message holds what it said."""


def make_demo_data(folder: Path, photos: int, say: Callable[[str], None]) -> None:
    """Make the tiles of both tracks below `folder`, of `photos` in each phase, and keep those that are there."""
    for track in TRACKS:
        for split in SPLITS:
            target = folder / track / split.folder
            if target.is_dir():
                continue
            say(f"Making the {split.name} photos of {track.upper()} …")
            # Made beside its place and moved there whole: a run that was cut short leaves no half of a data set.
            draft = target.with_name(f".{split.folder}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            run_baselines(
                "data", "make", "--out", str(draft), "--track", track, "--split", split.name,
                "--scenes", "1" if split is TRAINING else str(photos), "--rows", "2", "--cols", "3",
                "--first-photo", str(split.first_photo), "--seed", str(split.seed),
            )  # fmt: skip
            draft.rename(target)
        kit = folder / track / f"starter-kit-{track}.zip"
        if not kit.is_file():
            training = str(folder / track / "training")
            run_baselines("kit", "--track", track, "--data", training, "--output", str(kit))


def run_baselines(*arguments: str) -> None:
    """Run `python -m baselines …`; DemoFailed with its words when it fails."""
    command = [sys.executable, "-m", "baselines", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise DemoFailed(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
