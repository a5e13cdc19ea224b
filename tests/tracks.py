"""Small data for a track of every shipped protocol: inputs, references, a challenge file, and submissions to it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayerboard.challenges.models import Phase
from bayerboard.importing.importer import import_challenge
from bayerboard.importing.spec import load_challenge_spec
from scoring.reference import SUBSETS_FILE
from tests import factories
from tests.scoring.archives import npy_bytes
from tests.scoring.pictures import npz_bytes, picture_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from bayerboard.importing.report import ImportReport
    from bayerboard.submissions.models import Submission
    from bayerboard.teams.models import Team

LEVEL = 4095
README = f"{factories.README}Parameters [M] : 0.19\nMACs [G] : 12.5\n"


@dataclass(frozen=True)
class Recipe:
    """What the files of a protocol's challenge are like; sizes only where the protocol leaves them open."""

    protocol: str
    input_format: str
    container: str
    sizes: tuple[tuple[int, int], ...]
    channels: int
    largest: int
    factor: int = 1
    reference_container: str = ""
    subsets: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [f"{number}_0" for number in range(len(self.sizes))]

    def truth(self) -> dict[str, NDArray[Any]]:
        """Ramps with noise: nothing that JPEG or a metric finds special."""
        pairs = zip(self.names, self.sizes, strict=True)
        return {name: self._image(seed, size) for seed, (name, size) in enumerate(pairs)}

    def _image(self, seed: int, size: tuple[int, int]) -> NDArray[Any]:
        shape = (*size, self.channels)
        ramp = np.linspace(0.1, 0.8, shape[0] * shape[1] * shape[2]).reshape(shape)
        noise = np.random.default_rng(seed).uniform(0, 0.05, shape)
        return np.asarray((ramp + noise) * self.largest).astype(np.uint8 if self.largest == 255 else np.uint16)

    def predictions(self, levels: int) -> dict[str, bytes]:
        """Files of a submission that is wrong by so many levels everywhere."""
        return {
            f"{name}.{self.container}": encode(image + image.dtype.type(levels), self.container)
            for name, image in self.truth().items()
        }

    def references(self) -> dict[str, bytes]:
        kind = self.reference_container or self.container
        files = {f"{name}.{kind}": encode(image, kind) for name, image in self.truth().items()}
        if self.subsets:
            told = dict(zip(self.names, self.subsets, strict=True))
            files[SUBSETS_FILE] = json.dumps(told).encode()
        return files

    def inputs(self) -> dict[str, bytes]:
        return {
            f"{name}.{self.input_format}": self._input(seed, (height // self.factor, width // self.factor))
            for seed, (name, (height, width)) in enumerate(zip(self.names, self.sizes, strict=True))
        }

    def _input(self, seed: int, size: tuple[int, int]) -> bytes:
        values = np.random.default_rng(seed).integers(0, LEVEL, (*size, 4)).astype(np.uint16)
        if self.input_format == "jpg":
            return picture_bytes((values[..., :3] // 16).astype(np.uint8), "jpg")
        # RAW comes as grey pictures of 16 bits.
        return picture_bytes(values[..., 0]) if self.input_format == "png" else encode(values, self.input_format)


def encode(image: NDArray[Any], container: str) -> bytes:
    if container == "npy":
        return npy_bytes(image)
    if container == "npz":
        return npz_bytes(image, LEVEL, compressed=True)
    return picture_bytes(image, "jpg", quality=98) if container == "jpg" else picture_bytes(image, container)


LEVELS, DEVICES = ("noise", "blur", "joint"), ("known", "unknown")
RECIPES = {
    recipe.protocol: recipe
    for recipe in (
        Recipe("aim22-s7", "jpg", "npy", ((252, 252),) * 2, 4, 1000),
        Recipe("aim22-p20", "jpg", "npy", ((248, 248),) * 2, 4, 1000),
        Recipe("mai22-learned-isp", "png", "png", ((256, 256),) * 2, 3, 255),
        Recipe("ntire24-raw-sr", "npz", "npz", ((24, 32), (48, 40)), 4, LEVEL, factor=2),
        Recipe("ntire25-raw-restoration", "npy", "npy", ((512, 512),) * 3, 4, LEVEL, subsets=LEVELS),
        Recipe("ntire25-raw-from-srgb", "png", "npy", ((512, 512),) * 2, 4, LEVEL, subsets=DEVICES),
        Recipe("ntire26-unpaired-isp", "npy", "jpg", ((32, 48), (32, 48)), 3, 255, reference_container="png"),
    )
}


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@dataclass(frozen=True)
class Organiser:
    """Somebody with a folder of a track's data, and a challenge file in it."""

    folder: Path
    recipe: Recipe
    protocol: str = ""
    more: str = ""

    def __post_init__(self) -> None:
        write_files(self.folder / "inputs", self.recipe.inputs())
        write_files(self.folder / "reference", self.recipe.references())
        (self.folder / "challenge.yaml").write_text(
            "slug: demo\ntitle: Demo\ntracks:\n  - slug: track\n    title: Track\n"
            f"    protocol: {self.protocol or self.recipe.protocol}\n"
            "    phases:\n      - slug: dev\n        title: Development\n"
            "        starts_at: 2026-01-01 09:30\n        inputs: inputs\n"
            f"        input_format: {self.recipe.input_format}\n        reference: reference\n{self.more}"
        )

    def create_challenge(self) -> ImportReport:
        return import_challenge(load_challenge_spec(self.folder / "challenge.yaml"))

    def submit(self, team: Team, levels: int = 2, readme: str = README) -> Submission:
        """Send predictions that are wrong by so many levels."""
        path = self.folder / f"submission-{team.name}-{levels}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in self.recipe.predictions(levels).items():
                archive.writestr(name, data)
            archive.writestr("readme.txt", readme)
        return factories.make_submission(Phase.objects.get(), team, self.folder, archive=path)
