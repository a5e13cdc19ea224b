from __future__ import annotations

import json
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from baselines.errors import BaselineError
from baselines.starter_kit.build import KIT_TRACKS, REQUIREMENTS, TRAIN_TILES, VAL_TILES, build_kit
from baselines.starter_kit.cells import to_notebook
from baselines.starter_kit.cli import main
from baselines.tracks import TRACKS
from scoring.protocol import load_protocol
from tests.patience import LONG_PATIENCE_S

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
NOTEBOOKS = ("1-look-at-pairs", "2-first-submission")


@pytest.fixture(scope="module", params=sorted(KIT_TRACKS))
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that a participant finds in a track's kit."""
    folder = tmp_path_factory.mktemp("kit")
    build_kit(request.param, folder / "kit.zip")
    with zipfile.ZipFile(folder / "kit.zip") as archive:
        archive.extractall(folder)
    return folder / f"starter-kit-{request.param}"


def run_notebook(kit: Path, name: str, *, steps: int | None = None) -> str:
    """Run a notebook from top to bottom in the kit's folder, with so many STEPS; return all that it printed."""
    notebook: Any = nbformat.read(kit / "notebooks" / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    if steps:
        (first, *_) = (place for place, cell in enumerate(notebook.cells) if "STEPS =" in cell.source)
        notebook.cells.insert(first + 1, new_code_cell(f"STEPS = {steps}"))  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=LONG_PATIENCE_S, resources={"metadata": {"path": str(kit)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    return "".join(output.get("text", "") for output in outputs)


@pytest.mark.processes
def test_the_first_notebook_shows_the_pairs(kit: Path) -> None:
    printed = run_notebook(kit, NOTEBOOKS[0])

    assert f"{TRAIN_TILES} pairs" in printed


@pytest.mark.processes
@pytest.mark.parametrize("kit", ["s7"], indirect=True)
def test_the_second_notebook_makes_a_submission_that_beats_mosaic(kit: Path) -> None:
    # It trains 16; four beat a floor of 7 dB by 10.
    printed = run_notebook(kit, NOTEBOOKS[1], steps=4)

    track = kit.name.removeprefix("starter-kit-")
    with zipfile.ZipFile(kit / "submission.zip") as archive:
        image = np.load(archive.open(archive.namelist()[0]), allow_pickle=False)
    assert image.shape == TRACKS[track].packed_shape
    scores = {name: json.loads((kit / f"{name}.json").read_text())["metrics"]["psnr"] for name in ("mosaic", "unet")}
    assert scores["unet"] > scores["mosaic"]
    assert f"unet: PSNR {scores['unet']:.2f} dB" in printed


def test_training_and_validation_share_no_tile(kit: Path) -> None:
    splits = [{file.stem for file in (kit / "sample" / f"{split}_rgb").iterdir()} for split in ("train", "val")]

    assert [len(names) for names in splits] == [TRAIN_TILES, VAL_TILES]
    assert not splits[0] & splits[1]


def test_the_raw_is_of_the_tracks_protocol(kit: Path) -> None:
    protocol = load_protocol(TRACKS[kit.name.removeprefix("starter-kit-")].protocol)

    for file in (kit / "sample" / "train_raw").iterdir():
        image = np.load(file, allow_pickle=False)
        assert (image.shape, image.dtype.name) == (protocol.shape, "uint16")
        assert image.max() <= protocol.white_level


def test_says_that_the_sample_is_synthetic(kit: Path) -> None:
    assert "synthetic" in (kit / "README.md").read_text()
    assert "SYNTHETIC" in (kit / "sample" / "README.txt").read_text()


def test_same_bytes_every_time(tmp_path: Path, kit: Path) -> None:
    for name in ("one", "two"):
        build_kit(kit.name.removeprefix("starter-kit-"), tmp_path / name, kit / "sample")

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_takes_the_sample_from_given_data(tmp_path: Path, kit: Path) -> None:
    track = kit.name.removeprefix("starter-kit-")

    assert main(["--track", track, "--data", str(kit / "sample"), "--output", str(tmp_path / "kit.zip")]) == 0

    with zipfile.ZipFile(tmp_path / "kit.zip") as archive:
        names = archive.namelist()
        assert "own data" in archive.read(f"starter-kit-{track}/README.md").decode()
    first = sorted(file.name for file in (kit / "sample" / "train_rgb").iterdir())[0]
    assert f"starter-kit-{track}/sample/val_rgb/{first}" in names


def test_too_few_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="more than 3 pairs"):
        build_kit("s7", tmp_path / "kit.zip", data=tmp_path)

    assert not list(tmp_path.iterdir())


def test_an_unknown_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="Known: s7, p20"):
        build_kit("s8", tmp_path / "kit.zip")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--track", "s7", "--output", str(tmp_path / "nowhere" / "kit.zip")]) == 1

    assert "error:" in capsys.readouterr().err


def test_requirements_are_the_projects_own() -> None:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    known = {*project["dependencies"], *project["optional-dependencies"]["baselines"]}
    known |= {*project["optional-dependencies"]["notebooks"], "notebook"}

    assert set(REQUIREMENTS) <= known


def test_cells_become_a_notebook() -> None:
    notebook = json.loads(to_notebook("# %% [markdown]\n# # Title\n#\n# Text.\n\n# %%\nx = 1\n"))

    nbformat.validate(notebook)
    assert [(cell["cell_type"], cell["source"]) for cell in notebook["cells"]] == [
        ("markdown", "# Title\n\nText."),
        ("code", "x = 1"),
    ]


def test_a_file_must_begin_with_a_cell() -> None:
    with pytest.raises(ValueError, match="begin with a cell"):
        to_notebook("x = 1\n# %%\n")
