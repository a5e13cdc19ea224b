"""From images to photos."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.statistics import unit_scores
from scoring.statistics.signflip import weighted_means


def test_images_of_one_photo_are_one_unit() -> None:
    units = unit_scores([[1.0, 10.0, 3.0, 20.0]], ["a", "b", "a", "b"])

    assert units.scores.tolist() == [[2.0, 15.0]]
    assert (units.kind, units.count, units.sizes.tolist()) == ("photo", 2, [2, 2])


def test_an_image_without_a_photo_stands_for_itself() -> None:
    units = unit_scores([[1.0, 2.0]], [None, None])

    assert units.scores.tolist() == [[1.0, 2.0]]
    assert units.kind == "image"


def test_some_images_may_have_a_photo() -> None:
    units = unit_scores([[1.0, 2.0, 3.0]], ["0", None, "0"])

    assert units.sizes.tolist() == [2, 1]
    assert units.kind == "photo"


def test_the_weighted_mean_of_unequal_units_is_the_mean_of_the_images() -> None:
    values = np.random.default_rng(1).normal(30, 3, (4, 9))

    units = unit_scores(values, list("aaaaabbbc"))

    assert units.sizes.tolist() == [5, 3, 1]
    np.testing.assert_allclose(weighted_means(units.scores, units.sizes), values.mean(axis=1), rtol=1e-14)


@pytest.mark.parametrize(("values", "groups"), [([[1.0]], ["a", "b"]), ([1.0], ["a"]), (np.empty((1, 0)), [])])
def test_the_shapes_must_fit(values: object, groups: list[str]) -> None:
    with pytest.raises(ValueError, match="teams × "):
        unit_scores(values, groups)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_score_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="team 1 has a score"):
        unit_scores([[1.0, 2.0], [1.0, value]], ["a", "b"])
