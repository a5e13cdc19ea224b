"""The error `max-val-differs` must reveal nothing of hidden references: their max_val equals that of the inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bayerboard.challenges.models import ReferenceSet
from bayerboard.importing.spec import SpecError
from tests.scoring.pictures import npz_bytes
from tests.tracks import LEVEL, RECIPES, Organiser

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
RECIPE = RECIPES["ntire24-raw-sr"]


def problem_of(organiser: Organiser) -> str:
    with pytest.raises(SpecError) as caught:
        organiser.create_challenge()
    (problem,) = caught.value.problems
    assert problem.path == "tracks[0].phases[0].reference"
    assert not ReferenceSet.objects.exists()
    return f"{problem.message} {problem.hint}"


def test_an_inputs_level_is_its_references(tmp_path: Path) -> None:
    organiser = Organiser(tmp_path, RECIPE)
    name = RECIPE.names[1]
    (tmp_path / "inputs" / f"{name}.npz").write_bytes(npz_bytes(np.zeros((24, 20, 4), np.uint16), LEVEL - 1))

    assert problem_of(organiser) == (
        f"Inputs and reference differ in max_val: {name}. "
        "Give inputs as .npz too, each with the max_val of its reference."
    )


def test_inputs_that_say_no_level_are_refused_where_references_do(tmp_path: Path) -> None:
    organiser = Organiser(tmp_path, replace(RECIPE, input_format="png"))

    assert "differ in max_val: 0_0, 1_0." in problem_of(organiser)


def test_inputs_that_say_it_are_taken(tmp_path: Path) -> None:
    Organiser(tmp_path, RECIPE).create_challenge()

    assert ReferenceSet.objects.count() == 1
