from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from baselines.data.camera import (
    CAMERAS,
    Camera,
    Exposure,
    add_noise,
    expose,
    inverse_gains,
    inverse_gamma,
    inverse_tone,
    normalise,
    quantise,
    random_exposure,
    reference_from_rgb,
    rgb_to_camera,
    shading_map,
    unprocess,
)
from baselines.data.isp import tone
from tests.baselines.conftest import drawn_tile

QUIET = Exposure(rgb_gain=1.25, red_gain=2.0, blue_gain=1.6, shot=0.0, read=0.0)


def flat(*rgb: float, size: int = 4) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.broadcast_to(np.array(rgb, np.float32), (size, size, 3)).copy()


def test_inverse_tone_undoes_the_tone_curve() -> None:
    levels = np.linspace(0, 1, 101, dtype=np.float32)

    assert np.allclose(tone(inverse_tone(levels)), levels, atol=1e-6)


def test_inverse_tone_at_a_quarter() -> None:
    # 3x² − 2x³ at x = ½ is ½, and at x = ¼ is 5/32
    assert np.allclose(inverse_tone(np.array([0.5, 5 / 32], np.float32)), [0.5, 0.25], atol=1e-6)


def test_inverse_gamma_by_hand() -> None:
    assert inverse_gamma(np.array([0.5], np.float32))[0] == pytest.approx(0.21763764, rel=1e-5)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_matrix_keeps_white(camera: Camera) -> None:
    assert np.allclose(rgb_to_camera(camera).sum(axis=1), 1)


def test_matrix_of_one_camera_alone_by_hand() -> None:
    matrix = rgb_to_camera(replace(CAMERAS["s7"], mix=(1, 0, 0, 0)))

    # first row of XYZ2CAM A times RGB2XYZ, over its sum
    row = np.array([
        1.0234 * 0.4124564 - 0.2969 * 0.2126729 - 0.2266 * 0.0193339,
        1.0234 * 0.3575761 - 0.2969 * 0.7151522 - 0.2266 * 0.1191920,
        1.0234 * 0.1804375 - 0.2969 * 0.0721750 - 0.2266 * 0.9503041,
    ])  # fmt: skip
    assert np.allclose(matrix[0], row / row.sum())


def test_gains_divide_by_exposure_and_white_balance() -> None:
    darkened = inverse_gains(flat(0.5, 0.5, 0.5), QUIET)

    assert np.allclose(darkened[0, 0], [0.5 / 2.0 / 1.25, 0.5 / 1.25, 0.5 / 1.6 / 1.25])


def test_white_stays_white() -> None:
    assert np.allclose(inverse_gains(flat(1, 1, 1), QUIET), 1)


def test_two_cameras_see_different_colours() -> None:
    assert np.abs(rgb_to_camera(CAMERAS["s7"]) - rgb_to_camera(CAMERAS["p20"])).max() > 0.05


def test_a_red_scene_is_red_in_the_raw() -> None:
    raw = expose(flat(0.9, 0.1, 0.1), CAMERAS["s7"], QUIET, np.random.default_rng(0))

    assert raw[0, 0, 0] > 1.5 * raw[0, 0, 1]


def test_a_blue_scene_is_blue_in_the_last_channel() -> None:
    raw = expose(flat(0.1, 0.1, 0.9), CAMERAS["s7"], QUIET, np.random.default_rng(0))

    assert raw[0, 0, 3] > 1.5 * raw[0, 0, 0]


def test_both_greens_of_a_flat_scene_are_equal() -> None:
    raw = expose(flat(0.3, 0.6, 0.2), CAMERAS["p20"], QUIET, np.random.default_rng(0))

    assert np.array_equal(raw[..., 1], raw[..., 2])


@pytest.mark.parametrize("signal", [0.0, 0.02, 0.3, 0.9])
def test_noise_has_the_variance_of_the_formula(signal: float) -> None:
    shot, read = 0.003, 0.0001
    clean = np.full((500, 500), signal, np.float32)

    noise = add_noise(clean, shot, read, np.random.default_rng(1)) - clean

    # the sample variance of 250 000 values is within 1.5 % (five standard errors)
    assert noise.var(dtype=np.float64) == pytest.approx(shot * signal + read, rel=0.015)


def test_noise_has_no_bias() -> None:
    clean = np.full((500, 500), 0.3, np.float32)

    noise = add_noise(clean, 0.003, 0.0001, np.random.default_rng(2)) - clean

    assert abs(noise.mean(dtype=np.float64)) < 5 * np.sqrt((0.003 * 0.3 + 0.0001) / clean.size)


def test_exposures_follow_the_published_noise_line() -> None:
    rng = np.random.default_rng(3)
    exposures = [random_exposure(CAMERAS["s7"], rng) for _ in range(2000)]

    residual = [np.log(e.read) - 2.18 * np.log(e.shot) - 1.20 for e in exposures]

    assert np.mean(residual) == pytest.approx(0, abs=5 * 0.26 / np.sqrt(2000))
    assert np.std(residual) == pytest.approx(0.26, rel=0.1)


@pytest.mark.parametrize(("track", "black", "white"), [("s7", 0, 1023), ("p20", 60, 1020)])
def test_levels_reach_from_black_to_white(track: str, black: int, white: int) -> None:
    assert quantise(np.array([0, 1], np.float32), CAMERAS[track]).tolist() == [black, white]


def test_levels_are_rounded() -> None:
    assert quantise(np.array([100.6 / 1023], np.float32), CAMERAS["s7"])[0] == 101


def test_noise_below_black_is_stored_above_zero() -> None:
    # 60 − 0.01 · 960 = 50.4
    assert quantise(np.array([-0.01, -1], np.float32), CAMERAS["p20"]).tolist() == [50, 0]


def test_light_above_white_is_clipped() -> None:
    assert quantise(np.array([2.0], np.float32), CAMERAS["p20"])[0] == 1020


@pytest.mark.parametrize("track", ["s7", "p20"])
def test_normalise_undoes_quantise(track: str) -> None:
    stored = np.arange(100, 1000, dtype=np.uint16)

    assert np.array_equal(quantise(normalise(stored, CAMERAS[track]), CAMERAS[track]), stored)


def test_shading_is_full_light_in_the_centre() -> None:
    assert np.allclose(shading_map(CAMERAS["s7"], 101, 151)[50, 75], 1)


def test_shading_takes_its_share_in_every_corner() -> None:
    shading = shading_map(CAMERAS["p20"], 100, 150)

    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert np.allclose(shading[row, column], 1 - np.array([0.30, 0.26, 0.29]), atol=1e-6)


def test_unprocessed_light_is_linear_in_range() -> None:
    light = unprocess(drawn_tile(64).astype(np.float32) / np.float32(255), CAMERAS["s7"], QUIET)

    assert light.min() >= 0
    assert light.max() <= 1
    assert light.dtype == np.float32


@pytest.mark.parametrize(("track", "size"), [("s7", 504), ("p20", 496)])
def test_reference_of_a_tile_has_the_tracks_shape(track: str, size: int) -> None:
    reference = reference_from_rgb(drawn_tile(size), track, seed=1)

    assert reference.shape == (size // 2, size // 2, 4)
    assert reference.dtype == np.uint16


def test_reference_is_legal_even_for_white() -> None:
    assert reference_from_rgb(np.full((64, 64, 3), 255, np.uint8), "s7", seed=1).max() <= 1023


def test_same_seed_makes_the_same_reference() -> None:
    rgb = drawn_tile(64)

    assert np.array_equal(reference_from_rgb(rgb, "s7", seed=5), reference_from_rgb(rgb, "s7", seed=5))


def test_another_seed_makes_another_reference() -> None:
    rgb = drawn_tile(64)

    assert not np.array_equal(reference_from_rgb(rgb, "s7", seed=5), reference_from_rgb(rgb, "s7", seed=6))
