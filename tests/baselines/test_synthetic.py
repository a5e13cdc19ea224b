from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from baselines.data import synthetic
from baselines.data.make import make_data
from baselines.data.synthetic import PhotoPlan, halve, zoom
from baselines.errors import BaselineError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of two photos of 1×2 tiles per track, made once."""
    root = tmp_path_factory.mktemp("made")
    for track in ("s7", "p20"):
        make_data(root / track, track, "development", scenes=2, rows=1, columns=2, first_photo=3, seed=1, jobs=1)
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def green(raw: Path) -> NDArray[np.float64]:
    packed_raw = np.load(raw, allow_pickle=False)
    mean: NDArray[np.float64] = packed_raw[..., 1:3].mean(axis=2)
    return mean


def luma(jpg: Path) -> NDArray[np.float64]:
    rgb = np.asarray(Image.open(jpg), np.float64)
    height, width, _ = rgb.shape
    mean: NDArray[np.float64] = rgb[..., 1].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return mean


def test_layout_and_names(made: Path) -> None:
    names = ["3_0", "3_1", "4_0", "4_1"]

    assert sorted(contents(made / "s7")) == sorted(
        ["README.txt"]
        + [f"development_rgb/{name}.jpg" for name in names]
        + [f"development_raw/{name}.npy" for name in names]
    )


@pytest.mark.parametrize(("track", "size"), [("s7", 504), ("p20", 496)])
def test_shapes_and_types(made: Path, track: str, size: int) -> None:
    raw = np.load(made / track / "development_raw" / "3_0.npy", allow_pickle=False)
    with Image.open(made / track / "development_rgb" / "3_0.jpg") as rgb:
        assert (rgb.format, rgb.mode, rgb.size) == ("JPEG", "RGB", (size, size))
    assert (raw.dtype, raw.shape) == (np.uint16, (size // 2, size // 2, 4))


@pytest.mark.parametrize(("track", "white"), [("s7", 1023), ("p20", 1020)])
def test_levels_are_legal(made: Path, track: str, white: int) -> None:
    assert all(np.load(file).max() <= white for file in (made / track / "development_raw").iterdir())


def test_p20_has_a_black_level(made: Path) -> None:
    assert all(np.load(file).min() > 30 for file in (made / "p20" / "development_raw").iterdir())


@pytest.mark.parametrize("track", ["s7", "p20"])
def test_jpg_and_raw_of_a_tile_show_the_same_place(made: Path, track: str) -> None:
    folder = made / track
    names = ["3_0", "3_1", "4_0", "4_1"]
    rgbs = [luma(folder / "development_rgb" / f"{name}.jpg").ravel() for name in names]
    raws = [green(folder / "development_raw" / f"{name}.npy").ravel() for name in names]

    alike = np.corrcoef(rgbs, raws)[:4, 4:]

    assert np.array_equal(alike.argmax(axis=1), np.arange(4))
    assert alike.diagonal().min() > 0.8


def test_s7_is_aligned_to_the_pixel(made: Path) -> None:
    rgb = luma(made / "s7" / "development_rgb" / "3_0.jpg")
    raw = green(made / "s7" / "development_raw" / "3_0.npy")

    likeness = {
        (down, right): np.corrcoef(np.roll(rgb, (down, right), (0, 1))[4:-4, 4:-4].ravel(), raw[4:-4, 4:-4].ravel())[
            0, 1
        ]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }

    assert max(likeness, key=lambda shift: likeness[shift]) == (0, 0)


def test_only_p20_is_misaligned(monkeypatch: pytest.MonkeyPatch) -> None:
    amounts: dict[str, list[float]] = {"s7": [], "p20": []}
    for track, seen in amounts.items():
        monkeypatch.setattr(synthetic, "zoom", lambda rgb, amount, seen=seen: seen.append(amount) or rgb)
        synthetic.take_photo(PhotoPlan(track, "train", 0, 1, 1, 0))

    assert amounts["s7"] == []
    assert len(amounts["p20"]) == 1
    assert 0 < amounts["p20"][0] <= 0.02


def test_tiles_go_from_left_to_right(made: Path) -> None:
    left, right, other = (green(made / "s7" / "development_raw" / f"{name}.npy") for name in ("3_0", "3_1", "4_1"))

    seam = np.abs(left[:, -1] - right[:, 0]).mean()

    assert seam < 0.5 * np.abs(left[:, -1] - other[:, 0]).mean()


def test_second_row_follows_the_first(tmp_path: Path) -> None:
    make_data(tmp_path, "p20", "train", scenes=1, rows=2, columns=1, seed=2, jobs=1)
    above, below = (green(tmp_path / "train_raw" / f"0_{tile}.npy") for tile in (0, 1))

    assert np.abs(above[-1] - below[0]).mean() < 0.5 * np.abs(above[-1] - below[-1]).mean()


def test_same_seed_makes_the_same_bytes_with_any_number_of_jobs(made: Path, tmp_path: Path) -> None:
    make_data(tmp_path, "s7", "development", scenes=2, rows=1, columns=2, first_photo=3, seed=1, jobs=2)

    assert contents(tmp_path) == contents(made / "s7")


@pytest.mark.parametrize("change", [{"seed": 2}, {"photo": 4}, {"split": "test"}, {"track": "p20"}])
def test_no_two_photos_share_their_randomness(change: dict[str, object]) -> None:
    plan = {"track": "s7", "split": "development", "photo": 3, "rows": 1, "columns": 2, "seed": 1}

    first = PhotoPlan(**plan).generator()  # type: ignore[arg-type]
    second = PhotoPlan(**{**plan, **change}).generator()  # type: ignore[arg-type]

    assert first.uniform() != second.uniform()


def test_readme_says_that_it_is_synthetic(made: Path) -> None:
    text = (made / "p20" / "README.txt").read_text(encoding="utf-8")

    assert "SYNTHETIC" in text
    assert "not comparable to any published figure" in " ".join(text.split())


def test_readme_names_every_photograph(made: Path) -> None:
    text = (made / "p20" / "README.txt").read_text(encoding="utf-8")

    assert all(name in text for name in ("coffee.png", "chelsea.png", "astronaut.png", "skimage"))


def test_a_photo_number_of_another_split_is_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "s7", tmp_path / "s7")

    with pytest.raises(BaselineError, match="Photo 4 is in split development"):
        make_data(tmp_path / "s7", "s7", "test", scenes=1, rows=1, columns=1, first_photo=4)


def test_tiles_of_another_grid_are_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "s7", tmp_path / "s7")

    with pytest.raises(BaselineError, match="tile 3_1 from another grid"):
        make_data(tmp_path / "s7", "s7", "development", scenes=1, rows=1, columns=1, first_photo=3)


def test_a_folder_of_the_other_track_is_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "s7", tmp_path / "s7")

    with pytest.raises(BaselineError, match="something else"):
        make_data(tmp_path / "s7", "p20", "test", scenes=1, first_photo=9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"track": "s8"}, "no track called 's8'. Known: s7, p20, mai22"),
        ({"split": "dev"}, "no split called 'dev'. Known: train, development, test"),
        ({"scenes": 0}, "number of scenes cannot be 0"),
        ({"rows": 0}, "number of rows"),
        ({"columns": 0}, "number of columns"),
        ({"first_photo": -1}, "number of the first photo"),
        ({"seed": -1}, "seed cannot be -1"),
        ({"jobs": 0}, "number of jobs"),
    ],
)
def test_arguments_out_of_range_are_refused(change: dict[str, object], message: str, tmp_path: Path) -> None:
    arguments = {"track": "s7", "split": "train", **change}

    with pytest.raises(BaselineError, match=message):
        make_data(tmp_path / "new", **arguments)  # type: ignore[arg-type]

    assert not (tmp_path / "new").exists()


def test_progress_counts_photos(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    make_data(
        tmp_path, "p20", "train", scenes=2, rows=1, columns=1, jobs=1, on_progress=lambda *pair: seen.append(pair)
    )

    assert seen == [(1, 2), (2, 2)]


def test_halve_averages_without_rounding() -> None:
    scene = np.zeros((2, 2, 3), np.uint8)
    scene[0, 0] = 255
    scene[1, 1] = 2

    assert np.allclose(halve(scene), 257 / 4 / 255)


def test_zoom_of_nothing_changes_nothing() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)

    assert np.array_equal(zoom(rgb, 0.0), rgb)


def test_zoom_moves_the_border_outwards() -> None:
    columns = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (100, 200, 3))

    zoomed = zoom(np.ascontiguousarray(columns), 0.02)[50, :, 0].astype(float)

    # 2 % of half the width: column 100 + 80 comes to 100 + 81.6
    assert zoomed[182] == pytest.approx(180.4, abs=0.6)
    assert zoomed[18] == pytest.approx(19.6, abs=0.6)
