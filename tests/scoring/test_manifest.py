"""Manifests and the natural order of names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.manifest import FileSpec, Manifest, ManifestError, natural_key
from scoring.protocol import Protocol, load_protocol


def test_numbers_in_names_order_as_numbers() -> None:
    names = ["10_1", "6_10", "b", "6_2", "a10", "a9", "6_02"]

    assert sorted(names, key=natural_key) == ["6_02", "6_2", "6_10", "10_1", "a9", "a10", "b"]


@given(st.lists(st.text(max_size=20)))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    assert sorted(sorted(names, key=natural_key)) == sorted(names)


def test_a_number_may_be_longer_than_python_converts() -> None:
    assert natural_key("9" * 5000) < natural_key("1" + "0" * 5000)


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_equal_names_have_equal_keys(a: str, b: str) -> None:
    assert (natural_key(a) == natural_key(b)) == (a == b)


def test_a_manifest_is_in_natural_order(protocol: Protocol) -> None:
    manifest = Manifest.for_names(["6_10", "6_2"], protocol)

    assert manifest.files == (FileSpec("6_2", (16, 16, 4), "uint16"), FileSpec("6_10", (16, 16, 4), "uint16"))


def test_json_and_back(protocol: Protocol) -> None:
    manifest = Manifest.for_names(["6_10", "6_2"], protocol)

    assert Manifest.from_json(manifest.to_json()) == manifest


def test_the_order_of_the_names_does_not_change_the_digest(protocol: Protocol) -> None:
    assert Manifest.for_names(["a", "b"], protocol).digest == Manifest.for_names(["b", "a"], protocol).digest


def test_the_shape_changes_the_digest(protocol: Protocol) -> None:
    track_2 = load_protocol("aim22-p20")

    assert Manifest.for_names(["a"], protocol).digest != Manifest.for_names(["a"], track_2).digest


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb"])
def test_a_name_must_be_one_of_a_file(name: str, protocol: Protocol) -> None:
    with pytest.raises(ManifestError, match="cannot be the name"):
        Manifest.for_names([name], protocol)


def test_a_name_stands_once(protocol: Protocol) -> None:
    with pytest.raises(ManifestError, match="'a' is named twice"):
        Manifest.for_names(["a", "a"], protocol)


def test_a_manifest_is_not_empty(protocol: Protocol) -> None:
    with pytest.raises(ManifestError, match="must not be empty"):
        Manifest.for_names([], protocol)


GOOD = {"name": "6_0", "shape": [252, 252, 4], "dtype": "uint16"}


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ([], "the whole"),
        ({}, "files: is missing"),
        ({"files": []}, "files: must not be empty"),
        ({"files": {}}, "files: must be a list"),
        ({"files": ["6_0"]}, r"files\[0\]: must be a table"),
        ({"files": [GOOD], "hash": 1}, "hash: is not a known key"),
        ({"files": [GOOD, {**GOOD, "name": 6}]}, r"files\[1\].name: must be a text"),
        ({"files": [{**GOOD, "dtype": "float32"}]}, r"files\[0\].dtype: must be one of uint16"),
        ({"files": [{**GOOD, "shape": [252, 252]}]}, r"files\[0\].shape: must be 3 positive"),
        ({"files": [{**GOOD, "shape": [252, 0, 4]}]}, r"files\[0\].shape: must be 3 positive"),
        ({"files": [{**GOOD, "shape": [0, 0, 0]}]}, r"files\[0\].shape: must be 3 positive"),
        ({"files": [{**GOOD, "shape": [0, 0]}]}, r"files\[0\].shape: must be 3 positive"),
        ({"files": [{**GOOD, "shape": [False, False, 4]}]}, r"files\[0\].shape: must be 3 positive"),
        ({"files": [{**GOOD, "container": "tif"}]}, r"files\[0\].container: must be one of npy"),
        ({"files": [{**GOOD, "container": "png"}]}, r"files\[0\].dtype: must be one of uint8"),
        ({"files": [{**GOOD, "shape": [252, True, 4]}]}, r"files\[0\].shape: must be 3 positive"),
        ({"files": [{**GOOD, "sha256": "0"}]}, r"files\[0\].sha256: is not a known key"),
    ],
)
def test_a_fault_in_the_json_is_named_with_its_file_and_key(data: Any, where: str) -> None:
    with pytest.raises(ManifestError, match=rf"m\.json: {where}"):
        Manifest.from_json(data, source="m.json")
