from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from baselines.data.degrade import Degradation, write_degraded
from baselines.errors import BaselineError, InputError
from baselines.submission import Readme

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

README = Readme(0.5, "gpu", extra_data=True, description="a made-up method")
NAMES = ("1_0", "1_1", "1_2", "1_10", "2_0")


@pytest.fixture
def references(tmp_path: Path) -> Path:
    """Return a folder of five small references."""
    folder = tmp_path / "raw"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in NAMES:
        np.save(folder / f"{name}.npy", rng.integers(0, 1024, (8, 8, 4), np.uint16))
    return folder


def random_raw() -> NDArray[np.uint16]:
    return np.random.default_rng(1).integers(0, 1024, (16, 16, 4), np.uint16)


def apply(degradation: Degradation, packed_raw: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return degradation.apply(packed_raw, np.random.default_rng(0))


def read(path: Path) -> dict[str, NDArray[np.generic]]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy") and not name.startswith("__")]
        return {name: np.load(io.BytesIO(archive.read(name)), allow_pickle=False) for name in names}


def test_nothing_done_changes_nothing() -> None:
    assert np.array_equal(apply(Degradation(), random_raw()), random_raw())


def test_gain_by_hand() -> None:
    raw = np.full((2, 2, 4), 200, np.uint16)

    assert np.all(apply(Degradation(gain=1.13), raw) == 226)


def test_levels_stay_legal() -> None:
    assert apply(Degradation(gain=9.0, noise=50.0), random_raw()).max() == 1023


def test_shift_by_whole_pixels_goes_right_and_down() -> None:
    raw = random_raw()

    assert np.array_equal(apply(Degradation(shift=2), raw)[2:, 2:], raw[:-2, :-2])


def test_blur_mixes_pixels_but_not_channels() -> None:
    raw = np.zeros((15, 15, 4), np.uint16)
    raw[7, 7, 1] = 1000

    blurred = apply(Degradation(blur=1.0), raw)

    # the middle of a Gaussian of σ = 1 is 1 / (2π), but for the sampling
    assert blurred[7, 7, 1] == pytest.approx(1000 / (2 * np.pi), abs=2)
    assert blurred[..., (0, 2, 3)].max() == 0


def test_noise_has_the_deviation_asked_for() -> None:
    raw = np.full((200, 200, 4), 500, np.uint16)

    # rounding adds a twelfth to the variance
    assert apply(Degradation(noise=8.0), raw).std() == pytest.approx(np.sqrt(64 + 1 / 12), rel=0.01)


def test_fewer_bits_leave_fewer_levels() -> None:
    assert set(np.unique(apply(Degradation(bits=3), random_raw()))) <= {*range(0, 1024, 128), 1023}


@pytest.mark.parametrize(
    "values", [{"blur": -1}, {"noise": -1}, {"gain": 0}, {"bits": 0}, {"bits": 11}, {"shift": float("nan")}]
)
def test_impossible_degradations_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(BaselineError):
        Degradation(**values)  # type: ignore[arg-type]


def test_zip_has_every_image_in_natural_order(references: Path, tmp_path: Path) -> None:
    count = write_degraded(references, tmp_path / "s.zip", Degradation(), README)

    assert count == 5
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.namelist() == [*(f"{name}.npy" for name in NAMES), "readme.txt"]


def test_zip_declares_what_it_was_told(references: Path, tmp_path: Path) -> None:
    write_degraded(references, tmp_path / "s.zip", Degradation(), README)

    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.read("readme.txt").decode() == README.text()


def test_same_seed_makes_the_same_bytes(references: Path, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_degraded(references, tmp_path / name, Degradation(noise=4.0), README, seed=3)

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_images_have_noise_of_their_own(references: Path, tmp_path: Path) -> None:
    for name in NAMES:
        np.save(references / f"{name}.npy", np.full((8, 8, 4), 500, np.uint16))

    write_degraded(references, tmp_path / "s.zip", Degradation(noise=4.0), README)

    images = read(tmp_path / "s.zip")
    assert not np.array_equal(images["1_0.npy"], images["1_1.npy"])


def test_broken_submission_has_its_faults(references: Path, tmp_path: Path) -> None:
    write_degraded(references, tmp_path / "s.zip", Degradation(), README, broken=True)

    images = read(tmp_path / "s.zip")
    assert sorted(images) == ["1_1.npy", "1_10.npy", "1_2.npy", "2_0.npy", "surplus.npy"]
    assert images["1_1.npy"].dtype == np.float32
    assert images["1_1.npy"].max() <= np.float32(1)
    assert images["1_2.npy"].shape == (7, 8, 4)
    assert images["1_10.npy"].shape == (8, 8, 4)


def test_broken_submission_has_clutter(references: Path, tmp_path: Path) -> None:
    write_degraded(references, tmp_path / "s.zip", Degradation(), README, broken=True)

    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert "__MACOSX/._1_0.npy" in archive.namelist()


def test_too_few_references_to_break(references: Path, tmp_path: Path) -> None:
    for name in NAMES[3:]:
        (references / f"{name}.npy").unlink()

    with pytest.raises(InputError, match="needs 4 references, not 3"):
        write_degraded(references, tmp_path / "s.zip", Degradation(), README, broken=True)


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no \.npy file"):
        write_degraded(tmp_path, tmp_path / "s.zip", Degradation(), README)


@pytest.mark.parametrize("array", [np.zeros((8, 8, 4)), np.zeros((8, 8), np.uint16), np.zeros((8, 8, 3), np.uint16)])
def test_what_is_no_packed_raw_is_named(references: Path, tmp_path: Path, array: NDArray[np.generic]) -> None:
    np.save(references / "1_2.npy", array)

    with pytest.raises(InputError, match=r"1_2\.npy is .*, not uint16"):
        write_degraded(references, tmp_path / "s.zip", Degradation(), README)


def test_pickled_reference_is_not_opened(references: Path, tmp_path: Path) -> None:
    np.save(references / "1_2.npy", np.array([{}], dtype=object), allow_pickle=True)

    with pytest.raises(InputError, match=r"1_2\.npy is not a \.npy array"):
        write_degraded(references, tmp_path / "s.zip", Degradation(), README)
