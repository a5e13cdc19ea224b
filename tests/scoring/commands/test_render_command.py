"""``render`` as it is typed."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from scoring.cli import main
from scoring.protocol import load_protocol
from scoring.render import heat_map, visualise
from tests.scoring.archives import npy_bytes, write_submission

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Pictures = dict[str, "NDArray[np.uint16]"]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    generator = np.random.default_rng(1)
    shape = load_protocol("aim22-s7").shape
    return {name: generator.integers(0, 900, shape, dtype=np.uint16) for name in ("6_0", "6_2", "6_10")}


@pytest.fixture(scope="module")
def reference(pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    for name, image in pictures.items():
        np.save(folder / f"{name}.npy", image)
    return folder


@pytest.fixture(scope="module")
def archive(pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "mine.zip"
    return write_submission(path, {name: image + np.uint16(3) for name, image in pictures.items()})


def render(*arguments: object, protocol: str = "aim22-s7") -> int:
    return main(["render", *map(str, arguments), "--protocol", protocol])


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.array(image)


def test_an_image_file_becomes_a_png(
    reference: Path, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(reference / "6_0.npy", "--output", tmp_path / "new" / "folder") == 0

    path = tmp_path / "new" / "folder" / "6_0-view.png"
    assert capsys.readouterr().out == f"{path}\n"
    assert (pixels(path) == visualise(pictures["6_0"], data_range=1024)).all()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_whole_frame_may_be_shown(tmp_path: Path) -> None:
    np.save(tmp_path / "frame.npy", np.zeros((30, 40, 4), np.uint16))

    assert render(tmp_path / "frame.npy", "--output", tmp_path / "frame.png") == 0
    assert pixels(tmp_path / "frame.png").shape == (60, 80, 3)


def test_images_of_a_zip_are_chosen(archive: Path, tmp_path: Path) -> None:
    assert render(archive, "--image", "6_2", "--image", "6_0", "--image", "6_2", "--output", tmp_path) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["6_0-view.png", "6_2-view.png"]


def test_the_only_image_of_a_zip_needs_no_name(pictures: Pictures, tmp_path: Path) -> None:
    archive = write_submission(tmp_path / "one.zip", {"6_0": pictures["6_0"]})

    assert render(archive, "--output", tmp_path / "out.png") == 0
    assert (tmp_path / "out.png").exists()


def test_a_difference_is_a_heat_map(
    archive: Path, reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [archive, "--image", "6_0", "--difference", reference, "--output", tmp_path]

    assert render(*arguments, "--json", tmp_path / "out.json") == 0

    path = tmp_path / "6_0-difference.png"
    assert capsys.readouterr().out == f"{path}  (white: 3 levels)\n"
    assert (pixels(path) == heat_map(np.full((252, 252), 3.0), top=3.0)).all()
    files = json.loads((tmp_path / "out.json").read_text())["files"]
    assert files == [{"image": "6_0", "file": str(path), "top": 3.0}]


def test_the_top_of_a_heat_map_can_be_set(archive: Path, reference: Path, tmp_path: Path) -> None:
    render(archive, "--image", "6_0", "--difference", reference, "--output", tmp_path, "--top", "12")

    assert pixels(tmp_path / "6_0-difference.png")[0, 0].tolist() == [70, 15, 110]


def test_no_difference_is_black(reference: Path, tmp_path: Path) -> None:
    assert render(reference / "6_0.npy", "--difference", reference, "--output", tmp_path) == 0
    assert pixels(tmp_path / "6_0-difference.png").max() == 0


def test_json_goes_to_standard_output(reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(reference / "6_0.npy", "--output", tmp_path, "--json", "-") == 0

    assert json.loads(capsys.readouterr().out)["protocol"] == "aim22-s7"


def test_a_name_leads_nowhere_else(pictures: Pictures, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("..\\..\\up.npy", npy_bytes(pictures["6_0"]))

    assert render(tmp_path / "odd.zip", "--output", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".._.._up-view.png"]


def test_a_damaged_image_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "6_0.npy").write_bytes(b"?")

    assert render(tmp_path / "6_0.npy") == 2
    assert "[npy-malformed]" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["none.npy", "none.zip"])
def test_a_file_that_does_not_exist_ends_with_1(source: str, tmp_path: Path) -> None:
    assert render(tmp_path / source) == 1


def test_an_image_that_a_zip_lacks_ends_with_1(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(archive, "--image", "7_0") == 1
    assert "there is no image 7_0; there are 6_0, 6_2, 6_10" in capsys.readouterr().err


def test_a_zip_without_images_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(write_submission(tmp_path / "empty.zip", {})) == 1
    assert "there is no image in it" in capsys.readouterr().err


def test_only_some_of_many_images_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(10):
            archive.writestr(f"{number}.npy", b"")

    assert render(tmp_path / "many.zip", "--image", "x") == 1
    assert "there are 0, 1, 2, 3, 4, 5, 6, 7 and 2 more" in capsys.readouterr().err


def test_an_encrypted_image_ends_with_1(pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(write_submission(tmp_path / "mine.zip", {"6_0": pictures["6_0"]}, readme=None).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "mine.zip").write_bytes(data)

    assert render(tmp_path / "mine.zip") == 1
    assert "is encrypted" in capsys.readouterr().err


def test_a_reference_without_the_image_ends_with_1(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "7_0.npy", np.zeros((252, 252, 4), np.uint16))

    assert render(tmp_path / "7_0.npy", "--difference", reference) == 1
    assert "there is no image 7_0" in capsys.readouterr().err


def test_an_image_of_another_size_than_the_reference_ends_with_1(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "6_0.npy", np.zeros((30, 30, 4), np.uint16))

    assert render(tmp_path / "6_0.npy", "--difference", reference) == 1
    assert "6_0: the two differ in shape" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which one"),
        (["--image", "6_0", "--top", "3"], "--top: is for --difference"),
        (["--image", "6_0", "--difference", "r", "--top", "0"], "--top: must be positive"),
        (["--image", "6_0", "--image", "6_2", "--output", "out.png"], "2 images need a folder"),
    ],
)
def test_arguments_that_do_not_fit_end_with_1(
    arguments: list[str], message: str, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        render(archive, *arguments)

    assert ended.value.code == 1
    assert message in capsys.readouterr().err


def test_an_image_file_has_no_name_to_choose(reference: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        render(reference / "6_0.npy", "--image", "6_0")

    assert "--image: is for a zip" in capsys.readouterr().err
