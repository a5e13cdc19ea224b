"""The baselines' archives are accepted by scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from baselines.catalogue import METHODS, get_method
from baselines.data.degrade import Degradation, write_degraded
from baselines.predict import predict
from baselines.submission import Readme
from baselines.tracks import TRACKS
from scoring.check import check_archive
from scoring.manifest import Manifest
from scoring.protocol import load_protocol
from tests.baselines.conftest import save_input

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("track", TRACKS)
def test_track_and_protocol_agree_on_the_shape(track: str) -> None:
    assert load_protocol(TRACKS[track].protocol).shape == TRACKS[track].output_shape


@pytest.mark.parametrize(("method", "track"), [(method.name, track) for method in METHODS for track in method.tracks])
def test_a_prediction_has_nothing_to_complain_about(method: str, track: str, tmp_path: Path) -> None:
    for name in ("1_0", "1_1"):
        save_input(tmp_path / "tiles", name, track)
    protocol = load_protocol(TRACKS[track].protocol)

    report = predict(method, track, tmp_path / "tiles", tmp_path / "s.zip")

    checked = check_archive(tmp_path / "s.zip", Manifest.for_names(["1_0", "1_1"], protocol), protocol)
    assert (checked.errors, checked.warnings) == ([], [])
    assert checked.factsheet is not None
    assert checked.factsheet.runtime_s == round(report.runtime_s_per_image, 6)
    assert checked.factsheet.device == report.device
    assert checked.factsheet.extra_data is get_method(method).trained


def test_each_fault_of_a_broken_submission_is_found(tmp_path: Path) -> None:
    protocol = load_protocol("aim22-s7")
    names = [f"1_{tile}" for tile in range(4)]
    (tmp_path / "raw").mkdir()
    for name in names:
        np.save(tmp_path / "raw" / f"{name}.npy", np.full(protocol.shape, 300, np.uint16))

    write_degraded(
        tmp_path / "raw",
        tmp_path / "s.zip",
        Degradation(),
        Readme(1.0, "cpu", extra_data=False, description=""),
        broken=True,
    )

    checked = check_archive(tmp_path / "s.zip", Manifest.for_names(names, protocol), protocol)
    assert {(problem.code, problem.file) for problem in checked.errors} == {
        ("image-missing", "1_0.npy"),
        ("looks-normalised", "1_1.npy"),
        ("wrong-shape", "1_2.npy"),
        ("image-surplus", "surplus.npy"),
    }
    assert [problem.code for problem in checked.warnings] == ["junk-ignored"]
