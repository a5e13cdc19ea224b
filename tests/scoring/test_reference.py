"""Reference sets in folders and zips."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scoring.manifest import Manifest
from scoring.problems import ReferenceInvalid
from scoring.protocol import Protocol
from scoring.reference import Reference
from tests.scoring.archives import BAD_ARCHIVES, npy_bytes, write_submission

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scoring.conftest import Images


@pytest.fixture(params=["folder", "zip", "flat zip"])
def path(request: pytest.FixtureRequest, tmp_path: Path, reference_folder: Path, images: Images) -> Path:
    """Return the same reference set in every form, with some files that operating systems add."""
    (reference_folder / "._6_0.npy").write_bytes(b"junk")
    (reference_folder / "notes.txt").write_text("ours")
    if request.param == "folder":
        return reference_folder
    folder = "val_gt" if request.param == "zip" else ""
    junk = {"__MACOSX/._6_0.npy": b"junk"}
    return write_submission(tmp_path / "reference.zip", images, folder=folder, extra=junk)


def refusal(path: Path, protocol: Protocol) -> str:
    with pytest.raises(ReferenceInvalid) as error:
        Reference.open(path, protocol)
    return str(error.value)


def test_names_are_in_natural_order(path: Path, protocol: Protocol) -> None:
    with Reference.open(path, protocol) as reference:
        assert reference.names == ("6_0", "6_2", "6_10")


def test_images_are_loaded_by_name(path: Path, images: Images, protocol: Protocol) -> None:
    with Reference.open(path, protocol) as reference:
        for name, image in images.items():
            loaded = reference.load(name)
            np.testing.assert_array_equal(loaded, image)
            assert loaded.dtype == np.uint16


def test_an_unknown_name_is_a_key_error(path: Path, protocol: Protocol) -> None:
    with Reference.open(path, protocol) as reference, pytest.raises(KeyError):
        reference.load("6_1")


def test_the_public_manifest_tells_nothing_of_the_content(path: Path, images: Images, protocol: Protocol) -> None:
    with Reference.open(path, protocol) as reference:
        assert reference.manifest() == Manifest.for_names(images, protocol)


def test_the_private_manifest_identifies_every_image(path: Path, images: Images, protocol: Protocol) -> None:
    with Reference.open(path, protocol) as reference:
        private = reference.private_manifest()

    assert private == json.loads(json.dumps(private))
    assert private[2] == {
        "name": "6_10",
        "shape": [16, 16, 4],
        "dtype": "uint16",
        "sha256": hashlib.sha256(images["6_10"].astype("<u2").tobytes()).hexdigest(),
        "group": "6",
    }


def test_the_hash_is_of_the_values_not_of_the_file(reference_folder: Path, images: Images, protocol: Protocol) -> None:
    with Reference.open(reference_folder, protocol) as reference:
        before = reference.private_manifest()
    np.save(reference_folder / "6_0.npy", np.asfortranarray(images["6_0"].astype(">u2")))

    with Reference.open(reference_folder, protocol) as reference:
        assert reference.private_manifest() == before


def test_without_a_pattern_there_is_no_group(reference_folder: Path, protocol: Protocol) -> None:
    plain = Protocol.from_json({**protocol.to_json(), "group_pattern": None})

    with Reference.open(reference_folder, plain) as reference:
        assert all("group" not in described for described in reference.private_manifest())


def test_a_path_that_does_not_exist_is_named(tmp_path: Path, protocol: Protocol) -> None:
    assert refusal(tmp_path / "nowhere", protocol) == f"{tmp_path}/nowhere: there is no such folder or zip"


def test_a_folder_without_images_is_refused(tmp_path: Path, protocol: Protocol) -> None:
    assert "must not be empty" in refusal(tmp_path, protocol)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, protocol: Protocol) -> None:
    (tmp_path / "reference.zip").write_bytes(b"?")

    assert "archive-not-zip" in refusal(tmp_path / "reference.zip", protocol)


def test_a_name_in_two_folders_is_refused(tmp_path: Path, images: Images, protocol: Protocol) -> None:
    extra = {"again/6_0.npy": npy_bytes(images["6_0"])}

    assert "'6_0' is named twice" in refusal(write_submission(tmp_path / "r.zip", images, extra=extra), protocol)


@pytest.mark.parametrize("code", ["wrong-shape", "wrong-dtype"])
def test_an_image_that_is_not_the_protocols_is_refused(
    code: str, tmp_path: Path, images: Images, protocol: Protocol
) -> None:
    message = refusal(BAD_ARCHIVES[code](tmp_path / "r.zip", images), protocol)

    assert "6_0.npy" in message
    assert message.endswith("not uint16 of shape (16, 16, 4)")


@pytest.mark.parametrize("code", ["npy-malformed", "pickled-array", "entry-damaged"])
def test_a_file_that_cannot_be_read_is_refused(code: str, tmp_path: Path, images: Images, protocol: Protocol) -> None:
    assert "6_0.npy" in refusal(BAD_ARCHIVES[code](tmp_path / "r.zip", images), protocol)


@pytest.mark.parametrize("code", ["crc-mismatch", "value-above-max", "npy-wrong-length"])
def test_what_only_the_pixels_show_is_found_on_loading(
    code: str, tmp_path: Path, images: Images, protocol: Protocol
) -> None:
    archive = BAD_ARCHIVES[code](tmp_path / "r.zip", images)

    with (
        Reference.open(archive, protocol) as reference,
        pytest.raises(ReferenceInvalid, match=r"6_0\.npy"),
    ):
        reference.load("6_0")


def test_a_folder_may_be_gone_after_it_was_opened(reference_folder: Path, protocol: Protocol) -> None:
    """A fault of the disk stays one: it is nobody's archive."""
    with Reference.open(reference_folder, protocol) as reference:
        shutil.rmtree(reference_folder)
        with pytest.raises(FileNotFoundError):
            reference.load("6_0")


def test_a_file_is_given_as_it_came(path: Path, images: Images, protocol: Protocol) -> None:
    with Reference.open(path, protocol) as reference:
        assert reference.file("6_2") == ("6_2.npy", npy_bytes(images["6_2"]))
