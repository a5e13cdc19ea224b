from __future__ import annotations

import numpy as np

from baselines.cfa import mosaic
from baselines.data.camera import CAMERAS, Exposure, expose, shading_map
from baselines.data.isp import demosaic, denoise, develop, sharpen, tone
from baselines.data.scenes import compose_scene
from baselines.data.synthetic import halve
from tests.baselines.conftest import drawn_tile

CALM = Exposure(rgb_gain=1.25, red_gain=2.0, blue_gain=1.6, shot=1e-4, read=1e-8)


def test_demosaic_keeps_every_sample() -> None:
    packed_raw = np.random.default_rng(0).uniform(size=(8, 6, 4)).astype(np.float32)

    assert np.allclose(mosaic(demosaic(packed_raw)), packed_raw, atol=1e-6)


def test_demosaic_of_a_flat_field_is_flat_up_to_the_border() -> None:
    packed_raw = np.broadcast_to(np.array([0.2, 0.5, 0.5, 0.8], np.float32), (5, 5, 4))

    assert np.allclose(demosaic(packed_raw), [0.2, 0.5, 0.8])


def test_demosaic_of_a_ramp_is_the_ramp() -> None:
    rows, columns = np.mgrid[0:20, 0:24].astype(np.float32)
    ramp = np.stack([rows + columns, 2 * rows, 3 * columns], axis=-1)

    # bilinear interpolation is exact on planes; at the border it mirrors
    assert np.allclose(demosaic(mosaic(ramp))[1:-1, 1:-1], ramp[1:-1, 1:-1], atol=1e-4)


def test_tone_by_hand() -> None:
    assert np.allclose(tone(np.array([0, 0.25, 0.5, 1], np.float32)), [0, 5 / 32, 0.5, 1])


def test_denoise_calms_a_flat_field() -> None:
    exposure = Exposure(1.25, 2.0, 1.6, shot=1e-3, read=1e-6)
    deviation = np.sqrt(1e-3 * 0.4 + 1e-6)
    noisy = 0.4 + deviation * np.random.default_rng(0).standard_normal((64, 64, 4)).astype(np.float32)

    assert denoise(noisy, exposure).std() < 0.5 * noisy.std()


def test_denoise_keeps_an_edge() -> None:
    edge = np.zeros((8, 8, 4), np.float32)
    edge[:, 4:] = 0.5

    assert np.array_equal(denoise(edge, CALM), edge)


def test_sharpen_leaves_a_flat_field_alone() -> None:
    field = np.full((16, 16, 3), 0.4, np.float32)

    assert np.allclose(sharpen(field), field, atol=1e-6)


def test_colours_survive_camera_and_isp() -> None:
    camera = CAMERAS["s7"]
    scene = halve(compose_scene(504, 504, "development", np.random.default_rng(4)))

    rgb = develop(expose(scene, camera, CALM, np.random.default_rng(0)), camera, CALM) / 255

    # the difference is demosaicking, sharpening and 10 bits: no cast, no shift of tone
    assert np.abs(rgb - scene).mean() < 0.025
    assert np.abs((rgb - scene).mean(axis=(0, 1))).max() < 0.005


def test_isp_corrects_the_lens() -> None:
    camera = CAMERAS["p20"]
    shading = shading_map(camera, 64, 64)
    grey = np.full((64, 64, 3), 0.5, np.float32)

    rgb = develop(expose(grey, camera, CALM, np.random.default_rng(0), shading), camera, CALM, shading)

    assert abs(rgb[:8, :8].mean() - rgb[28:36, 28:36].mean()) < 2


def test_develops_bytes_of_full_size() -> None:
    camera = CAMERAS["s7"]
    raw = expose(drawn_tile(64).astype(np.float32) / np.float32(255), camera, CALM, np.random.default_rng(0))

    rgb = develop(raw, camera, CALM)

    assert rgb.shape == (64, 64, 3)
    assert rgb.dtype == np.uint8
