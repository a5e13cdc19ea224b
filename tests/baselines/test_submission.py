from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from baselines.submission import Readme, write_submission

if TYPE_CHECKING:
    from pathlib import Path


def test_readme_has_the_organisers_four_lines() -> None:
    text = Readme(0.0036, "cpu", extra_data=False, description="one\nmethod").text()

    assert text.splitlines() == [
        "runtime per frame [s] : 0.003600",
        "CPU[1] / GPU[0] : 1",
        "Extra Data [1] / No Extra Data [0] : 0",
        "Other description : one method",
    ]


def test_readme_of_a_gpu_with_extra_data() -> None:
    lines = Readme(1.0, "gpu", extra_data=True, description="x").text().splitlines()

    assert [line.split(" : ")[1] for line in lines[1:3]] == ["0", "1"]


def test_image_can_be_read_back(tmp_path: Path) -> None:
    image = np.arange(32, dtype=np.uint16).reshape(2, 4, 4)
    with write_submission(tmp_path / "s.zip") as submission:
        submission.add_image("1_0", image)

    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        stored = np.load(io.BytesIO(archive.read("1_0.npy")), allow_pickle=False)
    assert np.array_equal(stored, image)
    assert stored.dtype == np.uint16


def test_same_images_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        with write_submission(tmp_path / name) as submission:
            submission.add_image("1_0", np.ones((2, 2, 4), np.uint16))

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_unfinished_submission_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), write_submission(tmp_path / "s.zip"):
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []


def test_unfinished_submission_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "s.zip").write_bytes(b"old")

    with pytest.raises(RuntimeError), write_submission(tmp_path / "s.zip"):
        raise RuntimeError

    assert (tmp_path / "s.zip").read_bytes() == b"old"


def test_folder_is_made(tmp_path: Path) -> None:
    with write_submission(tmp_path / "new" / "s.zip") as submission:
        submission.add_bytes("readme.txt", b"")

    assert (tmp_path / "new" / "s.zip").is_file()
