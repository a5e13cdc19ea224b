"""The compiled way of PSNR and SSIM: the same numbers as the general one, and what is left to that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.metrics import fast, kernel
from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TOLERANCE = 1e-9


def random_pair(height: int, width: int, channels: int, seed: int = 1) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    generator = np.random.default_rng(seed)
    shape = (height, width, channels)
    return generator.integers(0, 1024, shape, np.uint16), generator.integers(0, 1024, shape, np.uint16)


def half_and_half(height: int, width: int, _: np.random.Generator) -> NDArray[np.float64]:
    image = np.zeros((height, width, 4))
    image[:, width // 2 :] = 1023
    return image


def chequers(height: int, width: int, _: np.random.Generator) -> NDArray[np.float64]:
    rows, columns = np.indices((height, width))
    return np.repeat(((rows // 3 + columns // 3) % 2 * 1023.0)[..., None], 4, axis=2)


def flat_bright(height: int, width: int, _: np.random.Generator) -> NDArray[np.float64]:
    return np.full((height, width, 4), 1000.0)


def noise(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return generator.uniform(0, 1023, (height, width, 4))


@settings(max_examples=60, deadline=None)
@given(
    draw=st.sampled_from([half_and_half, chequers, flat_bright, noise]),
    height=st.integers(11, 60),
    width=st.integers(11, 300),
    sigma=st.sampled_from([0.0, 0.5, 5.0, 300.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_agrees_with_the_general_way(
    draw: Callable[[int, int, np.random.Generator], NDArray[np.float64]],
    height: int,
    width: int,
    sigma: float,
    seed: int,
) -> None:
    generator = np.random.default_rng(seed)
    reference = draw(height, width, generator)
    pair = [
        np.clip(image, 0, 1023).astype(np.uint16)
        for image in (reference, reference + generator.normal(0, sigma, reference.shape))
    ]

    for metric, general in (("psnr", psnr), ("ssim", ssim)):
        value = fast.measure(metric, *pair, data_range=1024)
        assert value == pytest.approx(general(*pair, data_range=1024), rel=0, abs=TOLERANCE)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"taps": 11},
        {"crop_px": 0},
        {"taps": 7, "sigma": 0.8, "crop_px": 2, "sample_covariance": True},
    ],
)
def test_agrees_for_every_window(channels: int, parameters: dict[str, Any]) -> None:
    reference, submission = random_pair(31, 140, channels)

    value = fast.measure("ssim", reference, submission, data_range=1024, **parameters)

    assert value == pytest.approx(ssim(reference, submission, data_range=1024, **parameters), rel=0, abs=TOLERANCE)


def test_agrees_for_values_as_far_above_the_range_as_it_takes_them() -> None:
    reference, submission = (image * np.uint16(64) for image in random_pair(40, 40, 4))

    value = fast.measure("ssim", reference, submission, data_range=1024)

    assert value == pytest.approx(ssim(reference, submission, data_range=1024), rel=0, abs=1e-6)


def test_agrees_for_8_bits() -> None:
    reference, submission = ((image // 4).astype(np.uint8) for image in random_pair(20, 30, 3))

    assert fast.measure("psnr", reference, submission, data_range=255) == psnr(reference, submission, data_range=255)


def test_identical_images_have_the_organisers_values() -> None:
    reference, _ = random_pair(20, 20, 4)

    assert fast.measure("psnr", reference, reference, data_range=1024) == 999
    assert fast.measure("ssim", reference, reference, data_range=1024) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "shape", "dtype", "data_range", "parameters"),
    [
        ("mae", (20, 20, 4), np.uint16, 1024, {}),
        ("psnr", (20, 20, 4), np.float32, 1024, {}),
        ("psnr", (20, 20), np.uint16, 1024, {}),
        ("psnr", (5, 20, 4), np.uint16, 1024, {}),
        ("psnr", (20, 20, 5), np.uint16, 1024, {}),
        ("psnr", (20, 20, 4), np.uint16, 15, {}),
        ("psnr", (20, 20, 4), np.uint16, math.inf, {}),
        ("ssim", (20, 20, 4), np.uint16, 1024, {"taps": 15}),
        ("ssim", (20, 20, 4), np.uint16, 1024, {"crop_px": 10}),
    ],
)
def test_leaves_the_rest_to_the_general_way(
    metric: str, shape: tuple[int, ...], dtype: type[np.generic], data_range: float, parameters: dict[str, Any]
) -> None:
    image = np.full(shape, 1000, dtype)

    assert fast.measure(metric, image, image, data_range=data_range, **parameters) is None


def test_shapes_are_never_broadcast() -> None:
    reference, _ = random_pair(20, 20, 4)

    assert fast.measure("psnr", reference, reference[..., :1], data_range=1024) is None


FUNCTIONS = {name: value for name, value in vars(kernel).items() if hasattr(value, "py_func")}


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Python run the loops, so that every line of them is seen to run."""
    for name, function in FUNCTIONS.items():
        monkeypatch.setattr(kernel, name, function.py_func)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize(("height", "width", "channels", "crop_px"), [(16, 18, 4, 5), (36, 13, 1, 5), (7, 7, 2, 0)])
def test_the_loops_agree_when_python_runs_them(height: int, width: int, channels: int, crop_px: int) -> None:
    reference, submission = random_pair(height, width, channels)

    value = fast.measure("ssim", reference, submission, data_range=1024, crop_px=crop_px)
    assert value == pytest.approx(ssim(reference, submission, data_range=1024, crop_px=crop_px), abs=TOLERANCE)
    assert fast.measure("psnr", reference, submission, data_range=1024) == psnr(reference, submission, data_range=1024)


def test_where_nothing_can_be_written_the_loops_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def without_a_place(function: Callable[..., Any], *, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    monkeypatch.setattr(numba, "njit", without_a_place)

    assert kernel.compiled(lambda value: value + 1)(1) == 2
