"""Data sets in the layouts of AIM 2022 and of Fujifilm UltraISP, made for these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from baselines.cfa import pack, unpack
from baselines.data.batches import CropBatches, flip
from baselines.data.frames import DEMO_GRID, FULL_GRID, grid_of
from baselines.data.inspect import inspect_split, rggb_of
from baselines.data.make import make_challenge_data
from baselines.data.pairs import find_pairs
from baselines.errors import BaselineError, InputError
from baselines.tracks import TRACKS
from tests.baselines.conftest import drawn_tile, save_pairs, save_tile

if TYPE_CHECKING:
    from pathlib import Path

S7, P20, MAI22 = TRACKS["s7"], TRACKS["p20"], TRACKS["mai22"]


@pytest.fixture
def aim22(tmp_path: Path) -> Path:
    """Return a folder as AIM 2022 gave it out: the pairs of the training side by side."""
    for seed, name in enumerate(("1_0", "1_10", "1_2")):
        save_tile(tmp_path / "train" / f"{name}.jpg", seed=seed)
        np.save(tmp_path / "train" / f"{name}.npy", np.full((252, 252, 4), 100 * seed, np.uint16))
    return tmp_path


@pytest.fixture
def ultraisp(tmp_path: Path) -> Path:
    """Return a folder as UltraISP is given out; every colour of the Bayer plane has a level of its own."""
    bayer = np.zeros((256, 256), np.uint16)
    bayer[0::2, 0::2], bayer[0::2, 1::2], bayer[1::2, 0::2], bayer[1::2, 1::2] = 1000, 2000, 2001, 4000
    for folder, image in (("mediatek_raw", bayer), ("fujifilm", drawn_tile(256))):
        (tmp_path / "train" / folder).mkdir(parents=True)
        Image.fromarray(image).save(tmp_path / "train" / folder / "7.png")
    return tmp_path


def test_aim22_pairs_lie_side_by_side(aim22: Path) -> None:
    pairs = find_pairs(aim22, S7, "train")

    assert [pair.name for pair in pairs.pairs] == ["1_0", "1_2", "1_10"]
    assert pairs.load_raw(pairs.pairs[1]).max() == 200
    assert pairs.load_rgb(pairs.pairs[1]).shape == (504, 504, 3)


def test_ultraisp_is_packed_in_its_loaders_order(ultraisp: Path) -> None:
    pairs = find_pairs(ultraisp, MAI22, "train")

    packed = pairs.load_raw(pairs.pairs[0])

    assert packed.shape == (128, 128, 4)
    assert packed[0, 0].tolist() == [4000, 2000, 1000, 2001]  # B, Gb, R, Gr
    assert rggb_of(packed, MAI22)[0, 0].tolist() == [1000, 2000, 2001, 4000]


def test_ultraisp_target_is_its_png(ultraisp: Path) -> None:
    pairs = find_pairs(ultraisp, MAI22, "train")

    assert np.array_equal(pairs.load_rgb(pairs.pairs[0]), drawn_tile(256))


def test_an_8_bit_bayer_plane_is_refused(ultraisp: Path) -> None:
    Image.fromarray(np.zeros((256, 256), np.uint8)).save(ultraisp / "train" / "mediatek_raw" / "7.png")
    pairs = find_pairs(ultraisp, MAI22, "train")

    with pytest.raises(InputError, match="a Bayer plane is 16-bit grey"):
        pairs.load_raw(pairs.pairs[0])


def test_a_tile_without_partner_is_named(aim22: Path) -> None:
    (aim22 / "train" / "1_2.npy").unlink()

    with pytest.raises(InputError, match="the first is 1_2: no RAW"):
        find_pairs(aim22, S7, "train")


def test_a_missing_split_says_what_was_looked_for(aim22: Path) -> None:
    with pytest.raises(InputError, match=r"no val_rgb/ and val_raw/ or val/"):
        find_pairs(aim22, S7, "val")


def test_raw_of_the_other_track_is_refused(aim22: Path) -> None:
    np.save(aim22 / "train" / "1_0.npy", np.zeros(P20.packed_shape, np.uint16))
    pairs = find_pairs(aim22, S7, "train")

    with pytest.raises(InputError, match=r"1_0\.npy is uint16 \(248, 248, 4\); track s7 has \(252, 252, 4\)"):
        pairs.load_raw(pairs.pairs[0])


def test_the_hash_is_of_the_content(aim22: Path) -> None:
    before = find_pairs(aim22, S7, "train").sha256()

    np.save(aim22 / "train" / "1_0.npy", np.ones(S7.packed_shape, np.uint16))

    assert find_pairs(aim22, S7, "train").sha256() != before


def test_grid_is_told_from_the_names() -> None:
    assert grid_of(["1_0", "1_5"]) == DEMO_GRID
    assert grid_of(["1_0", "1_46"]) == FULL_GRID
    assert grid_of(["night"]) == FULL_GRID


def test_place_of_a_tile() -> None:
    assert FULL_GRID.place("9_0").tolist() == pytest.approx([-1, -2 / 3, -1, -0.75])
    assert FULL_GRID.place("9_47").tolist() == pytest.approx([2 / 3, 1, 0.75, 1])


def test_a_tile_of_unknown_place_lies_in_the_middle() -> None:
    top, bottom, left, right = FULL_GRID.place("night").tolist()

    assert (top, left) == pytest.approx((-bottom, -right))


def test_a_step_has_the_same_crops_every_time(aim22: Path) -> None:
    pairs = find_pairs(aim22, S7, "train")

    first, second = (CropBatches(pairs, batch=3, crop=16, flips=True, seed=1)[5] for _ in range(2))

    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.places, second.places)
    assert (first.rgb.shape, first.raw.shape) == ((3, 16, 16, 3), (3, 8, 8, 4))


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("across", [False, True])
def test_a_flipped_crop_is_still_rggb_and_aligned(down: bool, across: bool) -> None:
    colours = np.zeros((20, 20, 3), np.uint8)
    for channel in range(3):
        colours[..., channel] = 80 * channel + np.arange(20)[:, None] + 2 * np.arange(20)[None, :]
    bayer = np.zeros((20, 20), np.uint16)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        bayer[row::2, column::2] = colours[row::2, column::2, channel]

    rgb, raw, _ = flip(colours, pack(bayer), np.zeros(4, np.float32), down=down, across=across)

    flipped = unpack(raw)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        assert np.array_equal(flipped[row::2, column::2], rgb[row::2, column::2, channel])


@pytest.mark.parametrize("crop", [0, 15, 506])
def test_a_crop_that_does_not_fit_is_refused(aim22: Path, crop: int) -> None:
    with pytest.raises(BaselineError, match="is even and at most 504 pixels"):
        CropBatches(find_pairs(aim22, S7, "train"), batch=1, crop=crop, flips=False, seed=0)


def test_crops_of_neighbours_meet_in_the_photo(aim22: Path) -> None:
    pairs = find_pairs(aim22, S7, "train")
    whole = CropBatches(pairs, batch=8, crop=504, flips=False, seed=0)[0]

    assert all(any(np.allclose(place, FULL_GRID.place(pair.name)) for pair in pairs.pairs) for place in whole.places)


def test_inspect_counts_and_draws(tmp_path: Path) -> None:
    save_pairs(tmp_path, "s7", "val", ["1_0", "2_0"])

    summary = inspect_split(tmp_path, S7, "val", tmp_path / "sheet.png")

    assert (summary.pairs, summary.photos, summary.raw_shape) == (2, 2, (252, 252, 4))
    assert summary.highest <= 1023
    assert "2 pairs of 2 photos" in summary.text()
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 168, 2 * 168)


def test_a_whole_set_has_the_challenges_layout(tmp_path: Path) -> None:
    made = make_challenge_data(tmp_path, "s7", scenes=1, rows=1, columns=1, jobs=1)

    assert [summary.split for summary in made] == ["train", "val", "test", "test2"]
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {"README.txt", "train/0_0.jpg", "train/0_0.npy"} | {
        f"{split}_{kind}/{photo}_0.{suffix}"
        for split, photo in (("val", 1), ("test", 2), ("test2", 3))
        for kind, suffix in (("rgb", "jpg"), ("raw", "npy"))
    }


def test_photographs_become_a_data_set(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for seed in range(3):
        Image.fromarray(drawn_tile(600, seed)).save(tmp_path / "mine" / f"{seed}.png")

    make_challenge_data(tmp_path / "set", "mai22", rows=1, columns=1, photographs=tmp_path / "mine", jobs=1)

    for split in ("train", "val", "test"):
        assert len(find_pairs(tmp_path / "set", MAI22, split).pairs) == 1


def test_a_photograph_that_is_too_small_is_named(tmp_path: Path) -> None:
    for seed in range(3):
        Image.fromarray(drawn_tile(100, seed)).save(tmp_path / f"{seed}.png")

    with pytest.raises(InputError, match=r"0\.png has 100×100 pixels, and the scene 3024×2016"):
        make_challenge_data(tmp_path / "set", "s7", photographs=tmp_path)
