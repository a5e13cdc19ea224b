from __future__ import annotations

import numpy as np
import pytest

from baselines.cfa import mosaic
from baselines.data.camera import CAMERAS
from baselines.upi.model import mean_exposure, predict_packed_raw
from tests.baselines.conftest import drawn_tile


def test_black_is_the_black_level() -> None:
    assert np.unique(predict_packed_raw(np.zeros((8, 8, 3), np.uint8), "p20")).tolist() == [60]


def test_white_is_the_white_level() -> None:
    assert np.unique(predict_packed_raw(np.full((8, 8, 3), 255, np.uint8), "p20")).tolist() == [1020]


def test_grey_has_the_gains_of_the_camera() -> None:
    red, green, _, blue = predict_packed_raw(np.full((2, 2, 3), 128, np.uint8), "s7")[0, 0].astype(float)

    exposure = mean_exposure(CAMERAS["s7"])
    assert green / red == pytest.approx(exposure.red_gain, rel=0.02)
    assert green / blue == pytest.approx(exposure.blue_gain, rel=0.02)


def test_same_tile_makes_the_same_raw() -> None:
    tile = drawn_tile(16)

    assert np.array_equal(predict_packed_raw(tile, "s7"), predict_packed_raw(tile, "s7"))


def test_is_darker_than_the_mosaic() -> None:
    tile = drawn_tile(16)

    assert predict_packed_raw(tile, "s7").mean() < 4 * mosaic(tile).mean()
    assert predict_packed_raw(tile, "s7").dtype == np.uint16
