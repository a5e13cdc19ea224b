"""PSNR: a value by hand, an oracle, and pairs that it refuses. The published values are in tests/acceptance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from scoring.metrics.psnr import IDENTICAL_PSNR_DB, psnr


def test_one_level_everywhere_by_hand() -> None:
    reference = np.full((4, 4, 4), 100, dtype=np.uint16)

    assert psnr(reference, reference + 1, data_range=1024) == pytest.approx(20 * math.log10(1024), abs=1e-12)


def test_half_the_range_in_a_quarter_of_the_pixels_by_hand() -> None:
    reference = np.zeros((2, 2, 1), dtype=np.uint16)
    submission = np.array([512, 0, 0, 0], dtype=np.uint16).reshape(2, 2, 1)

    # mse = 0.25 / 4
    assert psnr(reference, submission, data_range=1024) == pytest.approx(10 * math.log10(16), abs=1e-12)


def test_identical_images_score_as_the_organisers_have_it() -> None:
    image = np.arange(64, dtype=np.uint16).reshape(4, 4, 4)

    assert psnr(image, image.copy(), data_range=1024) == IDENTICAL_PSNR_DB == 999.0


def test_unsigned_differences_do_not_wrap_around() -> None:
    low = np.zeros((4, 4, 4), dtype=np.uint16)
    high = np.full((4, 4, 4), 65535, dtype=np.uint16)

    assert psnr(low, high, data_range=65535) == psnr(high, low, data_range=65535) == 0.0


def test_agrees_with_scikit_image() -> None:
    generator = np.random.default_rng(1)
    reference = generator.integers(0, 1024, (32, 24, 4), dtype=np.uint16)
    submission = generator.integers(0, 1024, (32, 24, 4), dtype=np.uint16)

    a, b = reference / 1024, submission / 1024
    oracle = peak_signal_noise_ratio(a, b, data_range=1.0)  # type: ignore[no-untyped-call]
    assert psnr(reference, submission, data_range=1024) == pytest.approx(oracle, abs=1e-9)


def test_floats_score_as_the_integers_they_were_made_of() -> None:
    generator = np.random.default_rng(2)
    reference, submission = generator.integers(0, 1024, (2, 16, 16, 4), dtype=np.uint16)

    as_floats = psnr(reference / 1024, submission / 1024, data_range=1.0)
    assert as_floats == pytest.approx(psnr(reference, submission, data_range=1024), abs=1e-9)


@pytest.mark.parametrize("data_range", [0, -1, math.inf, math.nan])
def test_the_data_range_must_be_positive_and_finite(data_range: float) -> None:
    image = np.zeros((2, 2, 4), dtype=np.uint16)

    with pytest.raises(ValueError, match="data_range"):
        psnr(image, image, data_range=data_range)


def test_the_data_range_must_be_given() -> None:
    image = np.zeros((2, 2, 4), dtype=np.uint16)

    with pytest.raises(TypeError, match="data_range"):
        psnr(image, image)  # type: ignore[call-arg]


def test_shapes_are_never_broadcast() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(np.zeros((4, 4, 4), np.uint16), np.zeros((4, 4, 1), np.uint16), data_range=1024)


def test_empty_images_have_no_psnr() -> None:
    empty = np.zeros((0, 4, 4), dtype=np.uint16)

    with pytest.raises(ValueError, match="empty"):
        psnr(empty, empty, data_range=1024)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_images_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        psnr(np.zeros((2, 2, 4)), np.full((2, 2, 4), value), data_range=1.0)


@pytest.mark.parametrize("dtype", [np.complex128, np.bool_, np.object_])
def test_images_must_hold_real_numbers(dtype: type) -> None:
    with pytest.raises(TypeError, match="real numbers"):
        psnr(np.zeros((2, 2, 4)), np.ones((2, 2, 4), dtype), data_range=1.0)
