"""Any bytes give a report or a rejection, never another exception."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.check import CheckReport, check_archive
from scoring.engine import score_archive
from scoring.manifest import Manifest
from scoring.problems import SubmissionRejected
from scoring.reference import Reference
from scoring.report import report_json
from tests.scoring.archives import write_submission

if TYPE_CHECKING:
    from scoring.protocol import Protocol

NAMES = ("6_0", "6_2")


@pytest.fixture(scope="module")
def folder(protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a reference set of two images."""
    folder = tmp_path_factory.mktemp("reference")
    generator = np.random.default_rng(8)
    for name in NAMES:
        np.save(folder / f"{name}.npy", generator.integers(0, 1024, protocol.shape, dtype=np.uint16))
    return folder


@pytest.fixture(scope="module")
def good(protocol: Protocol, folder: Path) -> dict[int, bytes]:
    """Return a good submission, by each method of packing."""
    images = {name: np.load(folder / f"{name}.npy") for name in NAMES}
    archives = {}
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with tempfile.TemporaryDirectory() as directory:
            path = write_submission(Path(directory) / "good.zip", images, compression=compression)
            archives[compression] = path.read_bytes()
    return archives


def check(data: bytes, protocol: Protocol) -> CheckReport:
    report = check_archive(io.BytesIO(data), Manifest.for_names(NAMES, protocol), protocol)
    # The site stores and shows it: it must be sound text.
    text = json.dumps(report_json(protocol.name, errors=report.errors, warnings=report.warnings), ensure_ascii=False)
    assert "\0" not in text.encode().decode()
    return report


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[str, float, bytes]]:
    """Draw changes at places given as parts of the whole, so that they fit archives of any length."""
    kinds = st.sampled_from(["overwrite", "insert", "delete", "cut"])
    # Half of them near the end, where the directory is.
    places = st.one_of(st.floats(0, 1), st.floats(0.9, 1))
    return draw(st.lists(st.tuples(kinds, places, st.binary(min_size=1, max_size=6)), min_size=1, max_size=6))


def mutate(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    changed = bytearray(data)
    for kind, place, content in changes:
        at = int(place * len(changed))
        if kind == "overwrite":
            changed[at : at + len(content)] = content
        elif kind == "insert":
            changed[at:at] = content
        elif kind == "delete":
            del changed[at : at + len(content)]
        else:
            del changed[at:]
    return bytes(changed)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_answered_with_a_report(data: bytes, protocol: Protocol) -> None:
    assert not check(data, protocol).ok


@given(compression=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), changes=mutations())
def test_a_changed_archive_is_answered_with_a_report(
    compression: int,
    changes: list[tuple[str, float, bytes]],
    good: dict[int, bytes],
    protocol: Protocol,
) -> None:
    check(mutate(good[compression], changes), protocol)


@given(compression=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), changes=mutations())
def test_a_changed_archive_is_scored_or_rejected(
    compression: int,
    changes: list[tuple[str, float, bytes]],
    good: dict[int, bytes],
    folder: Path,
    protocol: Protocol,
) -> None:
    data = mutate(good[compression], changes)

    with Reference.open(folder, protocol) as reference:
        assert outcome(data, reference, protocol)


def outcome(data: bytes, reference: Reference, protocol: Protocol) -> object:
    """Return the metrics of an archive, or its errors."""
    try:
        return score_archive(io.BytesIO(data), reference, protocol).metrics
    except SubmissionRejected as rejected:
        return rejected.errors


@given(names=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), max_size=5, unique=True))
def test_any_names_are_answered_with_a_report(names: list[str], protocol: Protocol) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"")

    assert not check(stream.getvalue(), protocol).ok


@given(content=st.binary(max_size=200))
def test_any_content_of_an_image_is_answered_with_a_report(content: bytes, protocol: Protocol) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in NAMES:
            archive.writestr(f"{name}.npy", content)

    assert not check(stream.getvalue(), protocol).ok
