from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data

from baselines.data.scenes import (
    LARGEST_RADIUS,
    OVERDRAW,
    PHOTOGRAPHS,
    SMALLEST_RADIUS,
    SPLITS,
    compose_scene,
    leaf_radii,
)


@pytest.mark.parametrize("split", SPLITS)
def test_photographs_lie_in_the_wheel(split: str) -> None:
    folder = Path(skimage.data.__file__).parent

    assert [photo.file for photo in PHOTOGRAPHS[split] if not (folder / photo.file).is_file()] == []


def test_no_photograph_serves_two_splits() -> None:
    files = [photo.file for split in SPLITS for photo in PHOTOGRAPHS[split]]

    assert len(files) == len(set(files))


def test_both_views_of_one_motorcycle_are_in_one_split() -> None:
    homes = [split for split in SPLITS for photo in PHOTOGRAPHS[split] if photo.file.startswith("motorcycle")]

    assert len(set(homes)) == 1


def test_same_seed_composes_the_same_scene() -> None:
    first, second = (compose_scene(120, 160, "test", np.random.default_rng(1)) for _ in range(2))

    assert np.array_equal(first, second)


def test_another_seed_composes_another_scene() -> None:
    first, second = (compose_scene(120, 160, "test", np.random.default_rng(seed)) for seed in (1, 2))

    assert not np.array_equal(first, second)


def test_scene_has_the_size_asked_for() -> None:
    scene = compose_scene(120, 160, "train", np.random.default_rng(1))

    assert scene.shape == (120, 160, 3)
    assert scene.dtype == np.uint8


def test_scene_has_calm_and_busy_places() -> None:
    scene = compose_scene(1008, 1008, "development", np.random.default_rng(3)).mean(axis=2)

    deviations = scene.reshape(63, 16, 63, 16).std(axis=(1, 3))

    assert np.mean(deviations < 3) > 0.1
    assert np.mean(deviations > 15) > 0.1


def test_radii_stay_in_their_range() -> None:
    radii = leaf_radii(2_000_000, 1000, np.random.default_rng(0))

    assert radii.min() >= SMALLEST_RADIUS * 1000
    assert radii.max() <= LARGEST_RADIUS * 1000


def test_radii_follow_the_power_law() -> None:
    radii = np.concatenate([leaf_radii(10**6, 1000, np.random.default_rng(seed)) for seed in range(200)])

    # a density of r⁻² leaves a share of (1/r − 1/high) / (1/low − 1/high) above r
    low, high, middle = SMALLEST_RADIUS * 1000, LARGEST_RADIUS * 1000, 30.0
    expected = (1 / middle - 1 / high) / (1 / low - 1 / high)
    assert np.mean(radii > middle) == pytest.approx(expected, rel=0.1)


def test_leaves_cover_the_scene_as_often_as_said() -> None:
    areas = [np.pi * np.sum(leaf_radii(10**7, 1000, np.random.default_rng(seed)) ** 2) for seed in range(20)]

    assert np.mean(areas) == pytest.approx(OVERDRAW * 10**7, rel=0.03)
