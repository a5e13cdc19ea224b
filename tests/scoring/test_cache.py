"""Decoded references on disk: the same images, however often, from whichever process."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scoring.cache import ReferenceCache
from scoring.engine import score_archive
from scoring.images import Decoded
from scoring.reference import Reference
from tests.scoring.archives import write_submission

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scoring.protocol import Protocol
    from tests.scoring.conftest import Images

AMPLE_BYTES = 1 << 20


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_scores_are_the_same_with_and_without(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol
) -> None:
    archive = write_submission(tmp_path / "s.zip", {name: image // 2 for name, image in images.items()})
    cache = ReferenceCache(tmp_path / "cache", AMPLE_BYTES)

    plain, first, second = (score_archive(archive, reference, protocol, cache=kept) for kept in (None, cache, cache))

    assert plain == first == second


def test_an_image_is_read_from_the_reference_once(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ReferenceCache(tmp_path / "cache", AMPLE_BYTES)
    cache.of(reference, protocol).decode("6_2")
    monkeypatch.setattr(reference, "decode", None)

    image = cache.of(reference, protocol).decode("6_2")

    np.testing.assert_array_equal(image.pixels, images["6_2"])
    assert image.max_val is None


def test_the_level_of_a_file_is_kept(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = ReferenceCache(tmp_path / "cache", AMPLE_BYTES).of(reference, protocol)
    monkeypatch.setattr(reference, "decode", lambda name: Decoded(images[name], 4095.0))
    cached.decode("6_2")
    monkeypatch.setattr(reference, "decode", None)

    assert cached.decode("6_2").max_val == 4095.0


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_damaged_file_is_replaced(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol, damage: Callable[[bytes], bytes]
) -> None:
    cached = ReferenceCache(tmp_path / "cache", AMPLE_BYTES).of(reference, protocol)
    cached.decode("6_2")
    (path,) = files_in(cached.folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))

    np.testing.assert_array_equal(cached.decode("6_2").pixels, images["6_2"])
    assert path.read_bytes() == whole


def test_another_image_of_the_same_name_is_another_reference(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol
) -> None:
    cache = ReferenceCache(tmp_path / "cache", AMPLE_BYTES)
    cache.of(reference, protocol).decode("6_2")
    changed = write_submission(tmp_path / "changed.zip", {**images, "6_2": images["6_2"] // 2}, readme=None)

    with Reference.open(changed, protocol) as other:
        image = cache.of(other, protocol).decode("6_2")

    np.testing.assert_array_equal(image.pixels, images["6_2"] // 2)


def test_sets_that_were_not_used_for_long_make_room(tmp_path: Path, reference: Reference, protocol: Protocol) -> None:
    cache = ReferenceCache(tmp_path / "cache", AMPLE_BYTES)
    kept = cache.of(reference, protocol)
    kept.decode("6_2")
    for name, used in (("old", 1), ("recent", 2)):
        other = cache.folder / name
        other.mkdir()
        (other / "0").write_bytes(bytes(AMPLE_BYTES // 2))
        os.utime(other, (used, used))

    cache.of(reference, protocol)

    assert {folder.name for folder in cache.folder.iterdir()} == {"recent", kept.folder.name}


def test_a_set_beyond_the_bound_is_not_kept(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol
) -> None:
    cache = ReferenceCache(tmp_path / "cache", 10)

    image = cache.of(reference, protocol).decode("6_2")

    np.testing.assert_array_equal(image.pixels, images["6_2"])
    assert files_in(cache.folder) == []


def test_a_folder_that_another_process_removed_is_no_fault(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol
) -> None:
    cached = ReferenceCache(tmp_path / "cache", AMPLE_BYTES).of(reference, protocol)
    shutil.rmtree(cached.folder)

    np.testing.assert_array_equal(cached.decode("6_2").pixels, images["6_2"])


def test_a_set_that_vanishes_while_room_is_made_is_no_fault(
    tmp_path: Path, reference: Reference, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ReferenceCache(tmp_path / "cache", AMPLE_BYTES)
    kept = cache.of(reference, protocol)
    listed = [kept.folder, cache.folder / "gone"]
    monkeypatch.setattr(type(cache.folder), "iterdir", lambda _: iter(listed))

    assert cache.of(reference, protocol).folder == kept.folder


def test_a_set_that_does_not_fit_drives_no_other_out(tmp_path: Path, reference: Reference, protocol: Protocol) -> None:
    folder = tmp_path / "cache"
    (folder / "other").mkdir(parents=True)

    ReferenceCache(folder, 10).of(reference, protocol).decode("6_2")

    assert (folder / "other").is_dir()


def test_a_folder_that_goes_as_soon_as_it_is_made(
    tmp_path: Path, images: Images, reference: Reference, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.cache.os.utime", shutil.rmtree)

    image = ReferenceCache(tmp_path / "cache", AMPLE_BYTES).of(reference, protocol).decode("6_2")

    np.testing.assert_array_equal(image.pixels, images["6_2"])
