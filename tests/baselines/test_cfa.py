from __future__ import annotations

import numpy as np
import pytest

from baselines.cfa import mosaic, pack, unpack


def test_pack_reads_each_cell_from_left_to_right_and_down() -> None:
    bayer = np.array([[1, 2, 5, 6], [3, 4, 7, 8]], np.uint16)

    assert pack(bayer).tolist() == [[[1, 2, 3, 4], [5, 6, 7, 8]]]


def test_unpack_undoes_pack() -> None:
    bayer = np.random.default_rng(0).integers(0, 1024, (6, 10), np.uint16)

    assert np.array_equal(unpack(pack(bayer)), bayer)


def test_pack_undoes_unpack() -> None:
    packed_raw = np.random.default_rng(0).integers(0, 1024, (3, 5, 4), np.uint16)

    assert np.array_equal(pack(unpack(packed_raw)), packed_raw)


def test_mosaic_samples_red_green_green_blue() -> None:
    # each value names its row, column and colour
    rgb = np.array(
        [[[100 * row + 10 * column + colour for colour in range(3)] for column in range(2)] for row in range(2)]
    )

    assert mosaic(rgb).tolist() == [[[0, 11, 101, 112]]]


def test_dtype_is_kept() -> None:
    assert mosaic(np.zeros((2, 2, 3), np.uint8)).dtype == np.uint8


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (2, 2, 1)])
def test_pack_refuses_what_is_no_bayer_plane(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Bayer plane"):
        pack(np.zeros(shape))


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 3)])
def test_unpack_refuses_what_is_no_packed_raw(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="packed RAW"):
        unpack(np.zeros(shape))


@pytest.mark.parametrize("shape", [(2, 2), (3, 2, 3), (2, 3, 3), (2, 2, 4)])
def test_mosaic_refuses_what_is_no_rgb_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="RGB image"):
        mosaic(np.zeros(shape))
