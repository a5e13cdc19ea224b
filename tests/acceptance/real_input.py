"""The real input beside the project, as phases of a private challenge: read where it lies, copied nowhere else."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from baselines.data.camera import reference_from_rgb
from baselines.data.degrade import Degradation
from scoring.protocol import load_protocol
from tests.e2e.challenge import PhaseData
from tests.factories import write_zip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Images = Mapping[str, NDArray[Any]]

SHARED = Path(__file__).resolve().parents[3] / "shared"
AIM22, GOLDEN = SHARED / "aim22", SHARED / "golden"
IS_HERE = AIM22.is_dir() and GOLDEN.is_dir()
TRACKS = ("s7", "p20")
TILES = 24
# 12-bit levels become the 10-bit levels of the protocols.
TO_10_BIT = 2


@dataclass(frozen=True)
class Team:
    """An organiser who tries the private challenge, and what is done to the references; None: see `MOSAIC`."""

    name: str
    degradation: Degradation


TEAMS = (
    Team("soft", Degradation(blur=0.5, noise=4)),
    Team("noisy", Degradation(noise=14)),
    Team("shifted", Degradation(shift=0.5, noise=3)),
    Team("bright", Degradation(gain=1.06, blur=0.8)),
)
# Sends what `noisy` sends: the two must share a rank.
TWIN, TWIN_OF = "twin", "noisy"
MOSAIC = "mosaic"
PEOPLE = (*(team.name for team in TEAMS), TWIN, MOSAIC)


def tiles_phase(track: str) -> PhaseData:
    """Return a phase of the track's real RGB tiles, with references that the camera model makes of them."""
    files = sorted((AIM22 / f"{track}_val_rgb").glob("*.jpg"))
    assert len(files) == TILES
    inputs = {file.stem: file.read_bytes() for file in files}
    references = {
        name: reference_from_rgb(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), track, seed)
        for seed, (name, data) in enumerate(inputs.items())
    }
    return PhaseData(track, "tiles", references, inputs=inputs)


def frame_phase(track: str) -> PhaseData:
    """Return a phase of tiles cut from the real RGGB frame half, its four corners."""
    frame = np.load(AIM22 / "raw" / "real_rggb_12bit_left.npy", allow_pickle=False) >> TO_10_BIT
    side = load_protocol(f"aim22-{track}").shape[0]
    corners = [(row, column) for row in (0, frame.shape[0] - side) for column in (0, frame.shape[1] - side)]
    tiles = [frame[row : row + side, column : column + side].astype(np.uint16) for row, column in corners]
    return PhaseData(track, "frame", {f"1_{number}": tile for number, tile in enumerate(tiles)})


@dataclass(frozen=True)
class Golden:
    """The golden pairs of a track, and the organisers' scores of each."""

    phase: PhaseData
    submission: Images
    expected: Mapping[str, dict[str, float]] = field(default_factory=dict)


def golden(track: str) -> Golden:
    """Return the pairs whose name begins with the track's."""
    listed: dict[str, dict[str, Any]] = json.loads((GOLDEN / "expected.json").read_text("utf-8"))
    references, submission = {}, {}
    for name in [name for name in listed if name.startswith(f"{track}_")]:
        with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as arrays:
            references[name], submission[name] = arrays["reference"], arrays["submission"]
    expected = {name: {"psnr": listed[name]["psnr_db"], "ssim": listed[name]["ssim"]} for name in references}
    return Golden(PhaseData(track, "golden", references), submission, expected)


def write_tile_archives(phase: PhaseData, folder: Path) -> dict[str, Path]:
    """Write what every team sends; return team → zip."""
    archives = {}
    for seed, team in enumerate(TEAMS):
        rng = np.random.default_rng(seed)
        images = {name: team.degradation.apply(image, rng) for name, image in phase.references.items()}
        archives[team.name] = write_zip(folder / f"{team.name}-{phase.track}.zip", images)
    archives[TWIN] = archives[TWIN_OF]
    archives[MOSAIC] = predict_mosaic(phase.track, folder / f"mosaic-{phase.track}.zip")
    return archives


def predict_mosaic(track: str, output: Path) -> Path:
    """Run the baseline's own command on the real tiles."""
    options = {"--track": track, "--input": str(AIM22 / f"{track}_val_rgb"), "--output": str(output)}
    command = [sys.executable, "-m", "baselines", "predict", "mosaic"]
    subprocess.run([*command, *(word for option in options.items() for word in option)], check=True)
    return output


def read_zip(archive: Path) -> dict[str, NDArray[Any]]:
    """Return the images of a zip by their stems."""
    with zipfile.ZipFile(archive) as opened:
        return {
            Path(name).stem: np.load(io.BytesIO(opened.read(name)), allow_pickle=False)
            for name in opened.namelist()
            if name.endswith(".npy")
        }
