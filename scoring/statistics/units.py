"""From a score for every image to one for every independent unit: the photo, or the image where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

UnitKind = Literal["photo", "image"]


@dataclass(frozen=True)
class Units:
    """Scores by unit.

    Attributes
    ----------
    scores
        float64, teams × units: the mean of each unit's images.
    kind
        ``photo`` where at least one image names its photo, otherwise ``image``.
    sizes
        int64, how many images each unit holds: the weights with which a team's mean over its units is the mean over
        all its images.
    """

    scores: NDArray[np.float64]
    kind: UnitKind
    sizes: NDArray[np.int64]

    @property
    def count(self) -> int:
        return int(self.sizes.size)


def unit_scores(values: ArrayLike, groups: Sequence[str | None]) -> Units:
    """Bring images together by photo.

    Parameters
    ----------
    values
        Teams × images, finite.
    groups
        For each image its photo, or None where it has none and so stands for itself.

    Raises
    ------
    ValueError
        The shapes do not fit, there is no image, or a value is missing or not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(groups) or not groups:
        raise ValueError(f"values must be teams × {len(groups)} images, and not empty, not {array.shape}")
    if not np.isfinite(array).all():
        team = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(f"team {team} has a score that is missing or not finite")
    numbers: dict[tuple[str, str | int], int] = {}
    index = [
        numbers.setdefault(("image", at) if group is None else ("photo", group), len(numbers))
        for at, group in enumerate(groups)
    ]
    sizes = np.bincount(index)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    sums = np.add.reduceat(array[:, np.argsort(index, kind="stable")], starts, axis=1)
    return Units(sums / sizes, "image" if all(group is None for group in groups) else "photo", sizes)
