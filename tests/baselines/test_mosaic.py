from __future__ import annotations

import numpy as np

from baselines.mosaic.model import predict_packed_raw


def test_values_by_hand() -> None:
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[0, 0, 0], rgb[0, 1, 1], rgb[1, 0, 1], rgb[1, 1, 2] = 255, 128, 1, 0

    # 128 / 255 · 1024 = 514.007…, 1 / 255 · 1024 = 4.015…
    assert predict_packed_raw(rgb, "s7").tolist() == [[[1024, 514, 4, 0]]]


def test_every_level_is_the_organisers_truncated_float() -> None:
    levels = np.arange(256, dtype=np.uint8)
    rgb = np.broadcast_to(levels.reshape(16, 16, 1), (16, 16, 3)).repeat(2, axis=0).repeat(2, axis=1)

    predicted = predict_packed_raw(np.ascontiguousarray(rgb), "p20")

    expected = (levels / 255 * 1024).astype(np.uint16).reshape(16, 16, 1)
    assert np.array_equal(predicted, np.broadcast_to(expected, (16, 16, 4)))


def test_stores_uint16() -> None:
    assert predict_packed_raw(np.zeros((504, 504, 3), np.uint8), "s7").dtype == np.uint16
