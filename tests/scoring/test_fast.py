"""The compiled way of PSNR and SSIM: the same numbers as the general one, and cases that are left to that."""

from __future__ import annotations

import ctypes
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.metrics import fast, filters, kernel, tile
from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of float64; float32 may add fast.MAX_ERROR.
TOLERANCE = 1e-9
# The fixtures below set a precision, which is the same for every example.
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def value_of(metric: str, *pair: NDArray[Any], data_range: float, **parameters: Any) -> float:
    measured = fast.measure(metric, *pair, data_range=data_range, **parameters)
    assert measured is not None
    return measured.value


@pytest.fixture
def in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "MAX_ERROR", -1.0)


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "MAX_ERROR", 1.0)


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


def bright_with_dark_edge(height: int, width: int, _: np.random.Generator) -> NDArray[np.float64]:
    image = np.full((height, width, 4), 1000.0)
    image[:, :3] = 2
    return image


def noise(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return generator.uniform(0, 1023, (height, width, 4))


def dark(height: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return generator.uniform(0, 3, (height, width, 4))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return a reference that float32 may find hard, and a copy of it with noise of some strength."""
    kind = draw(st.sampled_from([half_and_half, chequers, flat_bright, bright_with_dark_edge, noise, dark]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reference = kind(draw(st.integers(11, 60)), draw(st.integers(11, 300)), generator)
    noisy = reference + generator.normal(0, draw(st.sampled_from([0.0, 0.5, 5.0, 300.0])), reference.shape)
    first, second = (np.clip(image, 0, 1023).astype(np.uint16) for image in (reference, noisy))
    return first, second


@settings(max_examples=60)
@given(pair=pairs())
def test_agrees_with_the_general_way(pair: tuple[NDArray[np.uint16], NDArray[np.uint16]]) -> None:
    assert value_of("psnr", *pair, data_range=1024) == pytest.approx(psnr(*pair, data_range=1024), abs=TOLERANCE)
    value = value_of("ssim", *pair, data_range=1024)
    assert value == pytest.approx(ssim(*pair, data_range=1024), rel=0, abs=fast.MAX_ERROR + TOLERANCE)


@pytest.mark.usefixtures("in_float64")
@settings(max_examples=40, suppress_health_check=SUPPRESSED)
@given(pair=pairs())
def test_float64_agrees_far_better(pair: tuple[NDArray[np.uint16], NDArray[np.uint16]]) -> None:
    value = value_of("ssim", *pair, data_range=1024)

    assert value == pytest.approx(ssim(*pair, data_range=1024), rel=0, abs=TOLERANCE)


@pytest.mark.usefixtures("in_float32")
@settings(max_examples=150, suppress_health_check=SUPPRESSED)
@given(pair=pairs())
def test_float32_is_never_wrong_by_more_than_its_bound(pair: tuple[NDArray[np.uint16], NDArray[np.uint16]]) -> None:
    measured = fast.measure("ssim", *pair, data_range=1024)

    assert measured is not None
    assert measured.float32_tiles == measured.tiles
    # 1e-12 is the error of float64 itself: identical images have a bound of 0.
    assert abs(measured.value - ssim(*pair, data_range=1024)) <= measured.bound + 1e-12


def test_an_easy_pair_is_worked_out_in_float32() -> None:
    reference, _ = random_pair(60, 60, 4)

    measured = fast.measure("ssim", reference, reference ^ np.uint16(1), data_range=1024)

    assert measured is not None
    assert measured.float32_tiles == measured.tiles == 4
    assert measured.bound <= fast.MAX_ERROR


def test_a_hard_pair_is_worked_out_in_float64_where_float32_proves_too_little() -> None:
    reference = np.full((40, 200, 4), 500, np.uint16)
    reference[:, 100:], _ = random_pair(40, 100, 4)
    submission = reference.copy()
    submission[:, 100:] = random_pair(40, 100, 4, seed=2)[0]

    measured = fast.measure("ssim", reference, submission, data_range=1024)

    assert measured is not None
    assert 0 < measured.float32_tiles < measured.tiles
    assert measured.bound <= fast.MAX_ERROR


def test_values_above_the_data_range_are_never_worked_on_in_float32() -> None:
    reference, _ = random_pair(40, 40, 4)

    measured = fast.measure("ssim", reference, reference, data_range=512)

    assert measured is not None
    assert measured.float32_tiles == 0


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

    value = value_of("ssim", reference, submission, data_range=1024, **parameters)

    assert value == pytest.approx(ssim(reference, submission, data_range=1024, **parameters), rel=0, abs=fast.MAX_ERROR)


def test_agrees_for_values_as_far_above_the_range_as_it_takes_them() -> None:
    reference, submission = (image * np.uint16(64) for image in random_pair(40, 40, 4))

    value = value_of("ssim", reference, submission, data_range=1024)

    assert value == pytest.approx(ssim(reference, submission, data_range=1024), rel=0, abs=1e-6)


def test_agrees_for_8_bits() -> None:
    reference, submission = ((image // 4).astype(np.uint8) for image in random_pair(20, 30, 3))

    assert value_of("psnr", reference, submission, data_range=255) == psnr(reference, submission, data_range=255)


def test_identical_images_have_the_organisers_values() -> None:
    reference, _ = random_pair(20, 20, 4)

    assert value_of("psnr", reference, reference, data_range=1024) == 999
    assert value_of("ssim", reference, reference, data_range=1024) == pytest.approx(1, abs=1e-12)


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


class PythonLoops:
    """The kernel as Python runs it, called like its machine code: with addresses."""

    def squared_error(self, x: int, y: int, values: int) -> int:
        return int(kernel.squared_error(_array(x, ctypes.c_uint16, values), _array(y, ctypes.c_uint16, values), values))

    def similarity(self, x: int, y: int, height: int, width: int, channels: int, *others: Any) -> int:
        crop, limit, numbers, single, double, result = others
        values = height * width * channels
        return kernel.similarity(
            _array(x, ctypes.c_uint16, values),
            _array(y, ctypes.c_uint16, values),
            height,
            width,
            channels,
            crop,
            limit,
            _array(numbers, ctypes.c_double, 10),
            _array(single, ctypes.c_float, tile.SCRATCH_VALUES),
            _array(double, ctypes.c_double, tile.SCRATCH_VALUES),
            _array(result, ctypes.c_double, 3),
        )


def _array(address: int, kind: Any, values: int) -> NDArray[Any]:
    return np.ctypeslib.as_array((kind * values).from_address(address))


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Python run the loops, so that every line of them is seen to run."""
    for module in (kernel, filters):
        for name, function in list(vars(module).items()):
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, function.py_func)
    monkeypatch.setattr(fast, "loops", PythonLoops)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize(("height", "width", "channels", "crop_px"), [(16, 18, 4, 5), (36, 13, 1, 5), (7, 7, 2, 0)])
@pytest.mark.parametrize("max_error", [-1.0, fast.MAX_ERROR, 1.0])
def test_the_loops_agree_when_python_runs_them(
    height: int, width: int, channels: int, crop_px: int, max_error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast, "MAX_ERROR", max_error)
    reference, submission = random_pair(height, width, channels)

    value = value_of("ssim", reference, submission, data_range=1024, crop_px=crop_px)

    expected = ssim(reference, submission, data_range=1024, crop_px=crop_px)
    assert value == pytest.approx(expected, rel=0, abs=TOLERANCE if max_error < 0 else 1e-5)
    assert value_of("psnr", reference, submission, data_range=1024) == psnr(reference, submission, data_range=1024)
