from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from baselines.equipment import Equipment, device_name, equipment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _look_again() -> Iterator[None]:
    equipment.cache_clear()
    yield
    equipment.cache_clear()


def test_without_torch_there_is_no_gpu_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert equipment() == Equipment(has_torch=False, has_gpu=False)


@pytest.mark.parametrize("has_gpu", [True, False])
def test_torch_says_whether_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch, has_gpu: bool) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setitem(
        sys.modules,
        "torch",
        SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: has_gpu, get_device_name=lambda index: "Test GPU")),
    )

    assert equipment() == Equipment(has_torch=True, has_gpu=has_gpu)
    assert device_name("gpu") == "Test GPU"


def test_a_processor_has_a_name() -> None:
    assert device_name("cpu")
