"""SSIM: values by hand, oracles, and pairs that it refuses. The published values are in tests/acceptance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from scoring.metrics.ssim import ssim

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_two_flat_images_by_hand() -> None:
    dark = np.full((16, 16, 4), 256, dtype=np.uint16)
    bright = np.full((16, 16, 4), 512, dtype=np.uint16)

    # Without variance only the luminance term is left: a = 1/4, b = 1/2.
    expected = (2 * 0.25 * 0.5 + 1e-4) / (0.25**2 + 0.5**2 + 1e-4)
    assert ssim(dark, bright, data_range=1024) == pytest.approx(expected, abs=1e-12)


def test_identical_images_score_one() -> None:
    image = np.random.default_rng(3).integers(0, 1024, (20, 16, 4), dtype=np.uint16)

    assert ssim(image, image.copy(), data_range=1024) == 1.0


def test_is_the_mean_over_channels() -> None:
    flat = np.full((16, 16, 2), 256, dtype=np.uint16)
    other = flat.copy()
    other[..., 1] = 512

    one_channel = ssim(flat[..., 1:], other[..., 1:], data_range=1024)
    assert ssim(flat, other, data_range=1024) == pytest.approx((1 + one_channel) / 2, abs=1e-12)


def by_definition(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Compute one channel in [0, 1], pixel by pixel with the 13×13 window written out."""
    taps = np.exp(-0.5 * (np.arange(-6, 7) / 1.5) ** 2)
    window = np.outer(taps, taps) / taps.sum() ** 2
    # numpy's symmetric is scipy's reflect: the border pixel is repeated
    a, b = (np.pad(image, 6, mode="symmetric") for image in (a, b))
    values = []
    for row in range(5, a.shape[0] - 12 - 5):
        for column in range(5, a.shape[1] - 12 - 5):
            at = np.s_[row : row + 13, column : column + 13]
            mean_a, mean_b = (window * a[at]).sum(), (window * b[at]).sum()
            var_a, var_b = (window * (a[at] - mean_a) ** 2).sum(), (window * (b[at] - mean_b) ** 2).sum()
            cov = (window * (a[at] - mean_a) * (b[at] - mean_b)).sum()
            structure = (2 * cov + 9e-4) / (var_a + var_b + 9e-4)
            values.append((2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4) * structure)
    return float(np.mean(values))


def test_agrees_with_the_definition_written_out() -> None:
    generator = np.random.default_rng(4)
    reference = generator.integers(0, 1024, (17, 14, 1), dtype=np.uint16)
    submission = generator.integers(0, 1024, (17, 14, 1), dtype=np.uint16)

    expected = by_definition(reference[..., 0] / 1024, submission[..., 0] / 1024)
    assert ssim(reference, submission, data_range=1024) == pytest.approx(expected, abs=1e-12)


def test_agrees_with_scikit_image_but_for_its_narrower_window() -> None:
    generator = np.random.default_rng(5)
    reference = generator.integers(200, 800, (64, 64, 4)).astype(np.uint16)
    submission = np.clip(reference + generator.normal(0, 40, reference.shape), 0, 1023).astype(np.uint16)

    oracle = structural_similarity(  # type: ignore[no-untyped-call]
        reference / 1024,
        submission / 1024,
        data_range=1.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    difference = abs(ssim(reference, submission, data_range=1024) - oracle)
    assert 0 < difference < 4e-4


@pytest.mark.parametrize("data_range", [0, -1, math.inf, math.nan])
def test_the_data_range_must_be_positive_and_finite(data_range: float) -> None:
    image = np.zeros((16, 16, 4), dtype=np.uint16)

    with pytest.raises(ValueError, match="data_range"):
        ssim(image, image, data_range=data_range)


def test_the_data_range_must_be_given() -> None:
    image = np.zeros((16, 16, 4), dtype=np.uint16)

    with pytest.raises(TypeError, match="data_range"):
        ssim(image, image)  # type: ignore[call-arg]


def test_shapes_are_never_broadcast() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        ssim(np.zeros((16, 16, 4), np.uint16), np.zeros((16, 16, 1), np.uint16), data_range=1024)


@pytest.mark.parametrize("shape", [(16, 16), (10, 16, 4), (16, 10, 4), (16, 16, 0)])
def test_images_must_leave_a_pixel_inside_the_crop(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="H×W×C"):
        ssim(np.zeros(shape), np.zeros(shape), data_range=1.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_images_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        ssim(np.zeros((16, 16, 4)), np.full((16, 16, 4), value), data_range=1.0)


def test_images_must_hold_real_numbers() -> None:
    with pytest.raises(TypeError, match="real numbers"):
        ssim(np.zeros((16, 16, 4)), np.zeros((16, 16, 4), complex), data_range=1.0)


def test_a_window_has_a_middle() -> None:
    image = np.zeros((16, 16, 4))

    with pytest.raises(ValueError, match="odd number of taps"):
        ssim(image, image, data_range=1.0, taps=12)


@pytest.mark.parametrize("sample_covariance", [False, True])
def test_wangs_window_agrees_with_scikit_image(*, sample_covariance: bool) -> None:
    generator = np.random.default_rng(6)
    reference = generator.uniform(size=(40, 50, 3))
    submission = np.clip(reference + generator.normal(0, 0.1, reference.shape), 0, 1)

    oracle = structural_similarity(  # type: ignore[no-untyped-call]
        reference,
        submission,
        data_range=1.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=sample_covariance,
    )
    value = ssim(reference, submission, data_range=1.0, taps=11, sample_covariance=sample_covariance)
    assert value == pytest.approx(oracle, rel=0, abs=1e-12)
