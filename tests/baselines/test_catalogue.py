from __future__ import annotations

import subprocess
import sys

import pytest

from baselines.catalogue import METHODS, Method, UnknownMethod, get_method
from baselines.predict import load_module

FORBIDDEN = ("torch", "django", "bayerboard", "workers")


def test_method_is_found_by_name() -> None:
    assert get_method("mosaic").protocols == ("aim22-s7", "aim22-p20")


def test_unknown_method_lists_the_known_ones() -> None:
    with pytest.raises(UnknownMethod) as caught:
        get_method("mosiac")

    assert str(caught.value) == "There is no baseline called 'mosiac'. Known: mosaic, upi, unet, mbispld, learned_isp."


def test_unknown_method_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        get_method("")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_card_is_there(method: Method) -> None:
    assert method.card.read_text(encoding="utf-8").startswith(f"# {method.name}\n")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_model_can_be_loaded(method: Method) -> None:
    assert load_module(method).DESCRIPTION


@pytest.mark.parametrize("module", ["baselines.catalogue", "baselines.download", "baselines.predict"])
def test_imports_neither_torch_nor_the_site(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {FORBIDDEN} if name in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"
