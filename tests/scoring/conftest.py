"""A small protocol, three images, and their reference set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from scoring.manifest import Manifest
from scoring.protocol import Protocol, load_protocol
from scoring.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How long one example takes says nothing about the code, on a machine that has other things to do.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

Images = dict[str, NDArray[np.uint16]]


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    """Return the protocol of track 1 at 16×16 pixels, so that tests are quick."""
    return Protocol.from_json({**load_protocol("aim22-s7").to_json(), "name": "tiny", "shape": [16, 16, 4]})


@pytest.fixture
def images(protocol: Protocol) -> Images:
    """Three random images in natural order of their names."""
    generator = np.random.default_rng(7)
    return {name: generator.integers(0, 1024, protocol.shape, dtype=np.uint16) for name in ("6_0", "6_2", "6_10")}


@pytest.fixture
def manifest(images: Images, protocol: Protocol) -> Manifest:
    return Manifest.for_names(images, protocol)


@pytest.fixture
def reference_folder(tmp_path: Path, images: Images) -> Path:
    folder = tmp_path / "reference"
    folder.mkdir()
    for name, image in images.items():
        np.save(folder / f"{name}.npy", image)
    return folder


@pytest.fixture
def reference(reference_folder: Path, protocol: Protocol) -> Iterator[Reference]:
    with Reference.open(reference_folder, protocol) as opened:
        yield opened
