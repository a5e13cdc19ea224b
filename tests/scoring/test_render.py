"""Pictures of packed RAW: the organisers' visualisation by hand, and heat maps."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from scoring.render import difference_levels, heat_map, png_bytes, visualise


def packed(red: float, green_1: float, green_2: float, blue: float, side: int = 4) -> np.ndarray:
    return np.tile(np.array([red, green_1, green_2, blue]), (side, side, 1)).astype(np.uint16)


def tone(x: float) -> float:
    y: float = x ** (1 / 2.2)
    return 3 * y**2 - 2 * y**3


def test_a_flat_image_by_hand() -> None:
    rgb = visualise(packed(512, 100, 300, 1024), data_range=1024)

    assert rgb.shape == (8, 8, 3)
    assert rgb.dtype == np.uint8
    expected = [round(255 * tone(level / 1024)) for level in (512, 200, 1024)]
    assert (rgb == expected).all()


def test_black_is_black_and_white_is_white() -> None:
    assert visualise(packed(0, 0, 0, 0), data_range=1024).max() == 0
    assert visualise(packed(1024, 1024, 1024, 1024), data_range=1024).min() == 255


def test_levels_above_white_stay_white() -> None:
    assert visualise(packed(4095, 4095, 4095, 4095), data_range=1024).min() == 255


def test_twice_the_size_is_bilinear_with_centres_at_quarters() -> None:
    """SciPy's grid mode is OpenCV's resize; both repeat the edge."""
    raw = np.random.default_rng(4).integers(0, 1024, (6, 5, 4)).astype(np.uint16)
    light = raw / 1024
    rgb = np.stack((light[..., 0], light[..., 1:3].mean(axis=2), light[..., 3]), axis=2)
    large = ndimage.zoom(rgb, (2, 2, 1), order=1, mode="nearest", grid_mode=True)
    x = np.maximum(large, 1e-8) ** (1 / 2.2)

    expected = np.rint(255 * np.clip(3 * x**2 - 2 * x**3, 0, 1))

    assert np.abs(visualise(raw, data_range=1024) - expected).max() == 0


def test_rgb_is_shown_as_it_is() -> None:
    image = np.random.default_rng(5).integers(0, 256, (5, 7, 3), dtype=np.uint8)

    assert (visualise(image, data_range=255) == image).all()


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 5)])
def test_other_images_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="three or four channels"):
        visualise(np.zeros(shape), data_range=1)


def test_the_difference_is_the_mean_over_the_channels() -> None:
    levels = difference_levels(packed(10, 10, 10, 10), packed(14, 10, 8, 10))

    assert (levels == 1.5).all()


def test_both_images_need_the_same_shape() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        difference_levels(packed(1, 1, 1, 1), packed(1, 1, 1, 1, side=5))


def test_heat_goes_from_black_to_white() -> None:
    rgb = heat_map(np.array([[0.0, 5.0, 10.0, 20.0]]), top=10)

    assert rgb.shape == (2, 8, 3)
    assert rgb[0, 0].tolist() == [0, 0, 0]
    assert rgb[0, 2].tolist() == [190, 50, 85]
    assert (rgb[0, 4] == rgb[0, 6]).all()
    assert rgb[0, 4].tolist() == [255, 250, 220]


def test_heat_grows_lighter_all_the_way() -> None:
    rgb = heat_map(np.linspace(0, 1, 200)[None, :], top=1)[0].astype(float)

    luma = rgb @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luma) > -1).all()


def test_a_png_holds_the_pixels() -> None:
    rgb = np.random.default_rng(6).integers(0, 256, (3, 4, 3), dtype=np.uint8)

    with Image.open(io.BytesIO(png_bytes(rgb))) as image:
        assert image.format == "PNG"
        assert (np.asarray(image) == rgb).all()
