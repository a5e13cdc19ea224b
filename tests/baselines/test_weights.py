"""The weights that ship: they load, say where they come from, and are better than the mosaic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from baselines.catalogue import METHODS, get_method
from baselines.evaluate import evaluate
from baselines.learning.checkpoints import load_checkpoint
from tests.baselines.conftest import save_pairs

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = [(method.name, track) for method in METHODS if method.trained for track in method.tracks]
LARGEST = 8_000_000
CLEARLY_DB = 3.0


@pytest.mark.parametrize(("name", "track"), SHIPPED)
def test_weights_say_where_they_come_from(name: str, track: str) -> None:
    file = get_method(name).weights(track)

    metadata = load_checkpoint(file).metadata

    assert (metadata["method"], metadata["track"]) == (name, track)
    assert f"train {name} --track {track}" in metadata["command"]
    assert len(metadata["data_sha256"]) == 64
    assert metadata["settings"]["seed"] == 0


@pytest.mark.parametrize(("name", "track"), SHIPPED)
def test_weights_are_small(name: str, track: str) -> None:
    assert get_method(name).weights(track).stat().st_size < LARGEST


@pytest.mark.parametrize("track", ["s7", "p20"])
@pytest.mark.parametrize("name", ["upi", "unet", "mbispld"])
def test_beats_the_mosaic_clearly(name: str, track: str, tmp_path: Path) -> None:
    save_pairs(tmp_path, track, "val", ["1_0"])

    scores = {each: evaluate(each, track, tmp_path, "val").metrics["psnr"] for each in (name, "mosaic")}

    assert scores[name] > scores["mosaic"] + CLEARLY_DB


def test_learned_isp_develops(tmp_path: Path) -> None:
    save_pairs(tmp_path, "mai22", "val", ["1_0"])

    assert evaluate("learned_isp", "mai22", tmp_path, "val").metrics["psnr"] > 15
