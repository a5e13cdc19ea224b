from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from baselines import predict as module
from baselines.catalogue import UnknownMethod, get_method
from baselines.errors import BaselineError, InputError
from baselines.mosaic.model import predict_packed_raw
from baselines.predict import load_module, predict
from tests.baselines.conftest import save_tile

if TYPE_CHECKING:
    from pathlib import Path


def test_every_tile_is_predicted_under_its_name(tiles: Path, tmp_path: Path) -> None:
    predict("mosaic", "s7", tiles, tmp_path / "s.zip")

    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.namelist() == ["6_2.npy", "6_10.npy", "10_0.npy", "readme.txt"]


def test_prediction_is_the_methods(tiles: Path, tmp_path: Path) -> None:
    predict("mosaic", "s7", tiles, tmp_path / "s.zip")

    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        stored = np.load(io.BytesIO(archive.read("10_0.npy")), allow_pickle=False)
    expected = predict_packed_raw(np.asarray(Image.open(tiles / "10_0.jpg")), "s7")
    assert np.array_equal(stored, expected)


@pytest.mark.parametrize(("track", "half"), [("s7", 252), ("p20", 248)])
def test_shape_and_type_of_the_track(track: str, half: int, tmp_path: Path) -> None:
    save_tile(tmp_path / "tiles" / "1_0.jpg", track)

    predict("mosaic", track, tmp_path / "tiles", tmp_path / "s.zip")

    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        stored = np.load(io.BytesIO(archive.read("1_0.npy")), allow_pickle=False)
    assert (stored.shape, stored.dtype) == ((half, half, 4), np.uint16)


def test_readme_has_the_measured_runtime(tiles: Path, tmp_path: Path) -> None:
    report = predict("mosaic", "s7", tiles, tmp_path / "s.zip")

    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        first, device, extra, description = archive.read("readme.txt").decode().splitlines()
    assert first == f"runtime per frame [s] : {report.runtime_s_per_image:.6f}"
    assert 0 < report.runtime_s_per_image < 1
    assert (device[-1], extra[-1]) == ("1", "0")
    assert "mosaic" in description


def test_report_counts_images(tiles: Path, tmp_path: Path) -> None:
    report = predict("mosaic", "s7", tiles, tmp_path / "s.zip")

    assert (report.images, report.device) == (3, "cpu")


def test_zip_of_tiles_is_predicted_alike(tiles: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tiles.zip", "w") as archive:
        for file in tiles.iterdir():
            archive.write(file, file.name)

    predict("mosaic", "s7", tmp_path / "tiles.zip", tmp_path / "a.zip")
    predict("mosaic", "s7", tiles, tmp_path / "b.zip")

    with zipfile.ZipFile(tmp_path / "a.zip") as first, zipfile.ZipFile(tmp_path / "b.zip") as second:
        assert [entry.CRC for entry in first.infolist()[:3]] == [entry.CRC for entry in second.infolist()[:3]]


def test_progress_counts_images(tiles: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    predict("mosaic", "s7", tiles, tmp_path / "s.zip", lambda done, total: seen.append((done, total)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_progress_can_stop_the_run(tiles: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise TimeoutError(f"{done}/{total}")

    with pytest.raises(TimeoutError, match="1/3"):
        predict("mosaic", "s7", tiles, tmp_path / "s.zip", stop)

    assert not (tmp_path / "s.zip").exists()


def test_one_bad_tile_leaves_no_submission(tiles: Path, tmp_path: Path) -> None:
    (tiles / "9_9.jpg").write_bytes(b"no picture")

    with pytest.raises(InputError, match=r"9_9\.jpg is not a JPG"):
        predict("mosaic", "s7", tiles, tmp_path / "s.zip")

    assert not (tmp_path / "s.zip").exists()


def test_tiles_of_the_other_track_are_refused(tiles: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="504×504 pixels; track p20 has 496×496"):
        predict("mosaic", "p20", tiles, tmp_path / "s.zip")


def test_unknown_method_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownMethod):
        predict("upscale", "s7", tmp_path / "nowhere", tmp_path / "s.zip")


def test_unknown_track_lists_the_known_ones(tiles: Path, tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"no track called 's8'\. Known: s7, p20, mai22"):
        predict("mosaic", "s8", tiles, tmp_path / "s.zip")


def test_a_track_that_the_method_does_not_serve(tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "get_method", lambda name: replace(get_method(name), tracks=("p20",)))

    with pytest.raises(BaselineError, match="mosaic does not serve track s7, only p20"):
        predict("mosaic", "s7", tiles, tmp_path / "s.zip")


def test_a_missing_package_is_named() -> None:
    with pytest.raises(BaselineError, match=r"absent needs baselines\.absent, which is not installed here"):
        load_module(replace(get_method("mosaic"), name="absent"))
