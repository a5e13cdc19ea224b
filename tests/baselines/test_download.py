from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from baselines.catalogue import METHODS, UnknownMethod, get_method
from baselines.download import REQUIREMENTS, build_download, download_name, download_sha256
from scoring import __version__

NAMES = [method.name for method in METHODS]
# Of one image of a submission.
SHAPES = {"s7": (252, 252, 4), "p20": (248, 248, 4), "mai22": (256, 256, 3)}
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def shell_commands(readme: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def unpack(method: str, folder: Path) -> Path:
    """Unpack a method's zip into a folder that is empty; return the folder."""
    zipfile.ZipFile(io.BytesIO(build_download(method))).extractall(folder)
    return folder


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    return unpack("mosaic", tmp_path)


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder with the installed packages, but without an editable Bayerboard.

    An editable install would lend the download the very modules that it forgot to pack: -S leaves out the
    hooks of site-packages, PYTHONPATH brings the packages back.
    """
    command = [sys.executable, "-S", "-W", "error", *arguments]
    environment = {"PYTHONPATH": sysconfig.get_path("platlib")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("method", NAMES)
def test_commands_of_the_readme_work_in_an_empty_folder(method: str, tmp_path: Path) -> None:
    folder = unpack(method, tmp_path)
    install, *commands = shell_commands((folder / "README.md").read_text(encoding="utf-8"))
    assert install == "python -m pip install -r requirements.txt"  # which the environment of the tests has done
    tracks = get_method(method).tracks
    assert len(commands) == len(tracks)

    for command in commands:
        python, *arguments = command.split()
        assert python == "python"
        done = run_python(folder, *arguments)
        assert (done.returncode, done.stderr) == (0, "predict 1/1\n")

    for track in tracks:
        with zipfile.ZipFile(folder / f"submission-{track}.zip") as archive:
            image, readme = archive.namelist()
            assert (Path(image).stem, readme) == ("1_0", "readme.txt")
            assert shape_of(image, archive.read(image)) == SHAPES[track]


def shape_of(name: str, data: bytes) -> tuple[int, ...]:
    if name.endswith(".npy"):
        shape: tuple[int, ...] = np.load(io.BytesIO(data), allow_pickle=False).shape
        return shape
    return np.asarray(Image.open(io.BytesIO(data))).shape


def test_runs_its_own_code_with_numpy_and_pillow_alone(unpacked: Path) -> None:
    code = (
        "import baselines.commands.predict, baselines.mosaic.model, sys;"
        "print(baselines.commands.predict.__file__, *{'scipy', 'skimage', 'scoring', 'django'} & set(sys.modules))"
    )

    assert run_python(unpacked, "-c", code).stdout.split() == [str(unpacked / "baselines" / "commands" / "predict.py")]


def test_what_is_left_out_is_named(unpacked: Path) -> None:
    done = run_python(unpacked, "-m", "baselines", "data", "make")

    assert done.returncode == 1
    assert done.stderr == "error: data needs baselines.data.cli, which is not installed here\n"


@pytest.mark.parametrize("method", NAMES)
def test_is_small(method: str) -> None:
    assert len(build_download(method)) < (8_000_000 if get_method(method).trained else 100_000)


def test_same_bytes_every_time() -> None:
    first = build_download("mosaic")
    build_download.cache_clear()

    assert build_download("mosaic") == first


def test_sha256_is_of_the_bytes() -> None:
    assert download_sha256("mosaic") == hashlib.sha256(build_download("mosaic")).hexdigest()


def test_name_has_method_and_version() -> None:
    assert download_name("mosaic") == f"bayerboard-mosaic-{__version__}.zip"


@pytest.mark.parametrize("file", ["CARD.md", "README.md", "requirements.txt", "baselines/mosaic/model.py"])
def test_has_what_it_promises(file: str) -> None:
    assert file in zipfile.ZipFile(io.BytesIO(build_download("mosaic"))).namelist()


def test_requirements_are_the_projects_own() -> None:
    dependencies = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]

    assert set(REQUIREMENTS) <= set(dependencies)


def test_readme_names_the_licence() -> None:
    archive = zipfile.ZipFile(io.BytesIO(build_download("mosaic")))

    assert "Apache-2.0" in archive.read("README.md").decode()


def test_unknown_method_is_refused() -> None:
    with pytest.raises(UnknownMethod):
        build_download("nothing")
