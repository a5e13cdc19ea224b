"""MAE, KL divergence, MS-SSIM and ΔE2000: values by hand, oracles, published values; pairs that all metrics refuse."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import entropy
from skimage import color, metrics

from scoring.metrics import METRICS, per_channel
from scoring.metrics.delta_e import ciede2000, delta_e, lab_of_srgb
from scoring.metrics.kl import kl
from scoring.metrics.mae import mae
from scoring.metrics.ms_ssim import WEIGHTS, ms_ssim

if TYPE_CHECKING:
    from numpy.typing import NDArray


SKIMAGE: Any = metrics
COLOR: Any = color


def rgb(seed: int = 1, side: int = 176) -> NDArray[np.uint8]:
    """Return smooth random colours."""
    noise = np.random.default_rng(seed).normal(size=(side, side, 3))
    smooth = gaussian_filter(noise, (4, 4, 0))
    return np.asarray(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def noisy(image: NDArray[np.uint8], sigma: float = 20.0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(2).normal(scale=sigma, size=image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


IMAGE = rgb()
NOISY = noisy(IMAGE)


# --- Every metric -------------------------------------------------------------------------------------------------

BEST = {"psnr": 999.0, "ssim": 1.0, "ms_ssim": 1.0, "kl": 0.0, "delta_e": 0.0, "mae": 0.0}


@pytest.mark.parametrize("metric", METRICS)
def test_identical_images_have_the_best_value(metric: str) -> None:
    assert METRICS[metric](IMAGE, IMAGE, data_range=255) == pytest.approx(BEST[metric], abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_floats_are_measured_as_integers_are(metric: str) -> None:
    a, b = IMAGE / 255.0, NOISY / 255.0

    assert METRICS[metric](a, b, data_range=1.0) == pytest.approx(METRICS[metric](IMAGE, NOISY, data_range=255))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("data_range", [0, -1.0, math.inf, math.nan])
def test_a_data_range_is_positive_and_finite(metric: str, data_range: float) -> None:
    with pytest.raises(ValueError, match="data_range"):
        METRICS[metric](IMAGE, NOISY, data_range=data_range)


@pytest.mark.parametrize("metric", METRICS)
def test_shapes_must_agree(metric: str) -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        METRICS[metric](IMAGE, IMAGE[1:], data_range=255)


@pytest.mark.parametrize("metric", METRICS)
def test_an_empty_image_has_no_value(metric: str) -> None:
    with pytest.raises(ValueError, match=r"empty|must be H×W×C"):
        METRICS[metric](IMAGE[:0], IMAGE[:0], data_range=255)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_must_be_finite(metric: str, value: float) -> None:
    broken = IMAGE.astype(np.float64)
    broken[3, 3, 1] = value

    with pytest.raises(ValueError, match="finite"):
        METRICS[metric](IMAGE, broken, data_range=255)


@pytest.mark.parametrize("metric", METRICS)
def test_values_must_be_real(metric: str) -> None:
    with pytest.raises(TypeError, match="real numbers"):
        METRICS[metric](IMAGE.astype(complex), NOISY.astype(complex), data_range=255)


@pytest.mark.parametrize("metric", sorted(METRICS.keys() - {"delta_e"}))
def test_a_channel_alone(metric: str) -> None:
    values = per_channel(metric, IMAGE, NOISY, data_range=255)

    assert len(values) == 3
    assert values[1] == METRICS[metric](IMAGE[..., 1:2], NOISY[..., 1:2], data_range=255)


@pytest.mark.parametrize("metric", ["ssim", "ms_ssim", "kl", "mae"])
def test_over_all_is_the_mean_of_the_channels(metric: str) -> None:
    values = per_channel(metric, IMAGE, NOISY, data_range=255)

    assert np.mean(values) == pytest.approx(METRICS[metric](IMAGE, NOISY, data_range=255))


def test_settings_reach_the_channels() -> None:
    assert per_channel("kl", IMAGE, NOISY, data_range=255, bins=2)[0] == kl(
        IMAGE[..., :1], NOISY[..., :1], data_range=255, bins=2
    )


# --- MAE ----------------------------------------------------------------------------------------------------------


def test_mae_by_hand() -> None:
    a = np.array([[0, 100], [200, 250]], dtype=np.uint8)
    b = np.array([[10, 100], [180, 255]], dtype=np.uint8)

    assert mae(a, b, data_range=100) == (10 + 0 + 20 + 5) / 4 / 100


def test_mae_of_integers_does_not_wrap_around() -> None:
    assert mae(np.full((2, 2), 65535, np.uint16), np.zeros((2, 2), np.uint16), data_range=65535) == 1.0


# --- KL divergence ------------------------------------------------------------------------------------------------


def test_kl_by_hand() -> None:
    a = np.array([0, 0, 0, 1], dtype=np.uint16).reshape(2, 2, 1)
    b = np.array([0, 0, 1, 1], dtype=np.uint16).reshape(2, 2, 1)
    p, q = (4 / 6, 2 / 6), (3 / 6, 3 / 6)

    expected = p[0] * math.log(p[0] / q[0]) + p[1] * math.log(p[1] / q[1])
    assert kl(a, b, data_range=2, bins=2) == pytest.approx(expected)


def test_kl_is_scipys_relative_entropy() -> None:
    def counts(channel: NDArray[Any]) -> NDArray[np.float64]:
        return np.histogram(channel, bins=64, range=(0, 255))[0] + 0.5

    expected = np.mean([entropy(counts(IMAGE[..., c]), counts(NOISY[..., c])) for c in range(3)])
    assert kl(IMAGE, NOISY, data_range=255, bins=64, smoothing=0.5) == pytest.approx(expected)


def test_kl_has_a_direction() -> None:
    assert kl(IMAGE, NOISY, data_range=255) != pytest.approx(kl(NOISY, IMAGE, data_range=255), rel=1e-3)


def test_kl_counts_what_lies_outside_in_the_last_bins() -> None:
    inside = np.array([0.0, 0.0, 1.0, 1.0]).reshape(2, 2, 1)
    outside = np.array([-3.0, 0.0, 1.0, 9.0]).reshape(2, 2, 1)

    assert kl(inside, outside, data_range=1, bins=4) == 0


@pytest.mark.parametrize("odd", [{"bins": 0}, {"smoothing": 0.0}, {"smoothing": math.inf}])
def test_kl_refuses_settings_that_make_no_histogram(odd: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="bins and smoothing"):
        kl(IMAGE, NOISY, data_range=255, **odd)


def test_kl_wants_channels() -> None:
    with pytest.raises(ValueError, match="must be H×W×C"):
        kl(IMAGE[..., 0], NOISY[..., 0], data_range=255)


# --- MS-SSIM ------------------------------------------------------------------------------------------------------


def plain_ms_ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Read the paper in another way, with scikit-image's SSIM for the parts: luminance is 1 where the mean is."""
    value = 1.0
    for level, weight in enumerate(WEIGHTS):
        blur = {"sigma": 1.5, "truncate": 3.5}
        crop = (slice(5, -5), slice(5, -5))
        mean_a, mean_b = gaussian_filter(a, **blur)[crop], gaussian_filter(b, **blur)[crop]
        luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
        whole = SKIMAGE.structural_similarity(
            a, b, data_range=1.0, gaussian_weights=True, use_sample_covariance=False, full=True
        )[1][crop]
        value *= float((whole if level == 4 else whole / luminance).mean()) ** weight
        if level < 4:
            a, b = (image.reshape(len(image) // 2, 2, -1, 2).mean(axis=(1, 3)) for image in (a, b))
    return value


def test_ms_ssim_is_what_scikit_images_ssim_makes_of_the_scales() -> None:
    expected = plain_ms_ssim(IMAGE[..., 0] / 255.0, NOISY[..., 0] / 255.0)

    assert ms_ssim(IMAGE[..., :1], NOISY[..., :1], data_range=255) == pytest.approx(expected, abs=1e-9)


def test_the_weights_of_the_scales_are_the_papers() -> None:
    assert WEIGHTS == (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    assert sum(WEIGHTS) == pytest.approx(1.0, abs=1e-3)


def test_ms_ssim_of_two_flat_images_is_their_luminance_alone() -> None:
    """All contrast terms are 1; l = (2·0.25·0.5 + C1) / (0.25² + 0.5² + C1), to the power of the last weight."""
    a, b = np.full((176, 176, 1), 64.0), np.full((176, 176, 1), 128.0)

    luminance = (2 * 0.25 * 0.5 + 1e-4) / (0.25**2 + 0.5**2 + 1e-4)
    assert ms_ssim(a, b, data_range=256) == pytest.approx(luminance**0.1333, abs=1e-9)


def test_ms_ssim_repeats_an_odd_last_row() -> None:
    odd, other = IMAGE[:171, :161], NOISY[:171, :161]

    assert 0 < ms_ssim(odd, other, data_range=255) < 1


def test_an_opposite_structure_counts_as_zero() -> None:
    assert ms_ssim(IMAGE, 255 - IMAGE, data_range=255) == 0


@pytest.mark.parametrize("shape", [(160, 176, 3), (176, 160, 3), (176, 176)])
def test_ms_ssim_wants_five_scales(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint8)

    with pytest.raises(ValueError, match="at least 161"):
        ms_ssim(image, image, data_range=255)


# --- ΔE2000 -------------------------------------------------------------------------------------------------------

# Sharma, Wu and Dalal 2005, table 1: some of the 34 pairs, each L*, a*, b* twice, and ΔE00 with four decimals.
SHARMA = [
    (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425),
    (50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615),
    (50.0, 2.8361, -74.0200, 50.0, 0.0, -82.7485, 3.4412),
    (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0000),
    (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669),
    (50.0, -1.0, 2.0, 50.0, 0.0, 0.0, 2.3669),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.0009, 7.1792),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.0011, 7.2195),
    (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
    (50.0, 2.5, 0.0, 61.0, -5.0, 29.0, 22.8977),
    (50.0, 2.5, 0.0, 56.0, -27.0, -3.0, 31.9030),
    (50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
]


@pytest.mark.parametrize("row", SHARMA)
def test_ciede2000_is_the_published(row: tuple[float, ...]) -> None:
    value = ciede2000(np.array([row[:3]]), np.array([row[3:6]]))

    assert value[0] == pytest.approx(row[6], abs=5e-5)


def test_ciede2000_is_scikit_images() -> None:
    generator = np.random.default_rng(3)
    lab_1, lab_2 = generator.uniform((0, -100, -100), (100, 100, 100), (2, 5000, 3))

    np.testing.assert_allclose(ciede2000(lab_1, lab_2), COLOR.deltaE_ciede2000(lab_1, lab_2), atol=1e-9)


def test_lab_is_scikit_images() -> None:
    srgb = np.random.default_rng(3).uniform(size=(5000, 3)) ** 3

    # Which rounds the two constants of the curve near black.
    np.testing.assert_allclose(lab_of_srgb(srgb), COLOR.rgb2lab(srgb), atol=2e-4)


def test_delta_e_is_the_mean_over_blocks_of_any_size() -> None:
    image, other = rgb(side=300), noisy(rgb(side=300))
    expected = COLOR.deltaE_ciede2000(COLOR.rgb2lab(image), COLOR.rgb2lab(other)).mean()

    assert delta_e(image, other, data_range=255) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("shape", [(20, 20, 4), (20, 20)])
def test_delta_e_wants_three_channels(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint8)

    with pytest.raises(ValueError, match="must be H×W×3"):
        delta_e(image, image, data_range=255)


def test_delta_e_of_extreme_values_raises_no_warning() -> None:
    with warnings.catch_warnings(action="error"):
        value = delta_e(np.array([[[-1.0, 0.0, 9.0]]]), np.array([[[2.0, -3.0, 0.0]]]), data_range=1.0)

    assert math.isfinite(value)
