from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from baselines.data.pairs import PairSet, find_pairs
from baselines.errors import BaselineError
from baselines.learning.checkpoints import load_checkpoint
from baselines.learning.devices import Speed
from baselines.learning.training import CHECKPOINT, LOG, Batch, Training, train, write_weights
from baselines.mbispld.train import RECIPE
from baselines.tracks import TRACKS
from tests.baselines.conftest import save_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from baselines.learning.network import Network

SETTINGS = replace(RECIPE.settings, steps=6, batch=2, crop=32, seed=3)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> PairSet:
    data = tmp_path_factory.mktemp("pairs")
    save_pairs(data, "s7", "train", ["1_0", "1_1"])
    return find_pairs(data, TRACKS["s7"], "train")


def start(pairs: PairSet, speed: Speed | None = None, **changes: Any) -> Training:
    return Training(RECIPE, pairs, replace(SETTINGS, **changes), CPU, speed or Speed())


def state_of(training: Training) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in training.network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_six_steps_are_three_and_three_more(pairs: PairSet, tmp_path: Path) -> None:
    whole = start(pairs)
    train(whole, tmp_path / "whole")

    train(start(pairs), tmp_path / "halves", until=3)
    resumed = start(pairs)
    train(resumed, tmp_path / "halves", resume=True)

    assert same(state_of(resumed), state_of(whole))
    first, second = (load_checkpoint(tmp_path / name / CHECKPOINT) for name in ("whole", "halves"))
    assert same(dict(first.tensors), dict(second.tensors))
    assert first.metadata == second.metadata


def test_learning_changes_every_part_of_the_network(pairs: PairSet, tmp_path: Path) -> None:
    training = start(pairs)
    before = state_of(training)

    train(training, tmp_path, until=2)

    assert all(not torch.equal(before[name], value) for name, value in training.network.state_dict().items())


def test_an_interrupted_training_goes_on_from_its_last_step(pairs: PairSet, tmp_path: Path) -> None:
    def interrupt(step: int, _steps: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(start(pairs), tmp_path, on_step=interrupt)

    resumed = start(pairs)
    train(resumed, tmp_path, resume=True, until=2)
    assert resumed.step == 2


def test_log_has_a_line_for_every_step_once(pairs: PairSet, tmp_path: Path) -> None:
    train(start(pairs), tmp_path, until=2)
    train(start(pairs), tmp_path, resume=True, until=4)

    lines = (tmp_path / LOG).read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["step", "1", "2", "3", "4"]


def test_another_seed_learns_otherwise(pairs: PairSet, tmp_path: Path) -> None:
    first, second = start(pairs), start(pairs, seed=4)
    train(first, tmp_path / "first", until=1)
    train(second, tmp_path / "second", until=1)

    assert not same(state_of(first), state_of(second))


def test_a_folder_with_a_training_is_not_overwritten(pairs: PairSet, tmp_path: Path) -> None:
    train(start(pairs), tmp_path, until=1)

    with pytest.raises(BaselineError, match="use --resume to go on, or another folder"):
        train(start(pairs), tmp_path)


def test_nothing_to_go_on_with(pairs: PairSet, tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="leave out --resume"):
        train(start(pairs), tmp_path, resume=True)


def test_a_training_of_other_settings_is_not_gone_on_with(pairs: PairSet, tmp_path: Path) -> None:
    train(start(pairs), tmp_path, until=1)

    with pytest.raises(BaselineError, match="other settings"):
        train(start(pairs, batch=1), tmp_path, resume=True)


def test_a_loss_that_is_no_number_stops_the_training(pairs: PairSet, tmp_path: Path) -> None:
    recipe = replace(RECIPE, loss=lambda network, batch: RECIPE.loss(network, batch) * torch.nan)

    with pytest.raises(BaselineError, match="loss of step 1 is nan: use a smaller learning rate"):
        train(Training(recipe, pairs, SETTINGS, CPU, Speed()), tmp_path)


def test_a_batch_too_large_for_the_gpu_is_computed_in_halves(
    pairs: PairSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def tight(network: Network, batch: Batch) -> torch.Tensor:
        sizes.append(len(batch.rgb))
        if len(batch.rgb) > 1:
            raise torch.cuda.OutOfMemoryError("no room")
        return RECIPE.loss(network, batch)

    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    halved = Training(replace(RECIPE, loss=tight), pairs, SETTINGS, CPU, Speed())
    whole = start(pairs)
    train(halved, tmp_path / "halved", until=1)
    train(whole, tmp_path / "whole", until=1)

    assert sizes == [2, 1, 1]
    logs = [(tmp_path / name / LOG).read_text().splitlines()[1].split(",")[1] for name in ("halved", "whole")]
    assert float(logs[0]) == pytest.approx(float(logs[1]), rel=1e-4)


def test_a_crop_too_large_for_the_gpu_is_said(pairs: PairSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_network: Network, _batch: Batch) -> torch.Tensor:
        raise torch.cuda.OutOfMemoryError("no room")

    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)

    with pytest.raises(BaselineError, match="use a smaller --crop"):
        train(Training(replace(RECIPE, loss=full), pairs, SETTINGS, CPU, Speed()), tmp_path)


@pytest.mark.parametrize("speed", [Speed("bfloat16"), Speed(channels_last=True)], ids=["bfloat16", "channels-last"])
def test_what_makes_it_faster_keeps_the_loss(pairs: PairSet, tmp_path: Path, speed: Speed) -> None:
    train(start(pairs), tmp_path / "plain", until=1)
    train(start(pairs, speed), tmp_path / "fast", until=1)

    logs = [(tmp_path / name / LOG).read_text().splitlines()[1].split(",")[1] for name in ("plain", "fast")]
    assert float(logs[1]) == pytest.approx(float(logs[0]), rel=0.02)


def test_weights_say_where_they_come_from(pairs: PairSet, tmp_path: Path) -> None:
    training = start(pairs)
    train(training, tmp_path, until=1)

    write_weights(training, tmp_path / "weights.safetensors", command="train it")

    metadata = load_checkpoint(tmp_path / "weights.safetensors").metadata
    assert (metadata["method"], metadata["track"], metadata["command"]) == ("mbispld", "s7", "train it")
    assert metadata["data_sha256"] == pairs.sha256()
    assert metadata["settings"]["seed"] == 3
