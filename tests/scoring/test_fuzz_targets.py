"""The targets of ``make fuzz``, without the fuzzer: their first seeds are good, and a few mutations do no harm."""

from __future__ import annotations

import io
import json
import random
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.check import check_archive
from scoring.factsheet import parse_readme
from scoring.formula import Formula
from scoring.images import decode
from scoring.manifest import FileSpec, Manifest
from scoring.protocol import parse_protocol
from tests.fuzz import targets
from tests.fuzz.targets import NAMES, TARGETS, Target, TooLargeError, TooSlowError

MUTATIONS = 40


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_seeds_and_mutations_of_them_do_no_harm(target: Target) -> None:
    generator = random.Random(6)
    for seed in target.seeds():
        target.run(seed)
        for _ in range(MUTATIONS // len(target.seeds())):
            data = bytearray(seed)
            for _ in range(generator.randint(1, 4)):
                data[generator.randrange(len(data))] = generator.randrange(256)
            target.run(bytes(data))


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_any_change_of_a_good_input_does_no_harm(target: Target, data: st.DataObject) -> None:
    """Pieces of good inputs, in any order, with any bytes between them."""
    seeds = target.seeds()
    pieces = []
    for _ in range(data.draw(st.integers(1, 4))):
        seed = data.draw(st.sampled_from(seeds))
        start, end = sorted(data.draw(st.tuples(st.integers(0, len(seed)), st.integers(0, len(seed)))))
        pieces += [seed[start:end], data.draw(st.binary(max_size=8))]
    target.run(b"".join(pieces))


@settings(max_examples=60)
@given(data=st.binary(max_size=300))
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_any_bytes_do_no_harm(target: Target, data: bytes) -> None:
    target.run(data)


def test_good_archives_are_among_the_seeds() -> None:
    """A target whose inputs are all refused at the door would find nothing."""
    protocol = targets._protocol("npy")
    for seed in TARGETS["check"].seeds()[:2]:
        assert check_archive(io.BytesIO(seed), Manifest.for_names(NAMES, protocol), protocol).ok


@pytest.mark.parametrize("container", ["npz", "png", "jpg"])
def test_good_images_are_among_the_seeds(container: str) -> None:
    protocol = targets._protocol(container)
    spec = FileSpec("6_0", protocol.shape, protocol.dtype, protocol.container)

    assert decode(TARGETS[container].seeds()[0], spec, protocol, file="6_0").pixels.shape == protocol.shape


def test_good_texts_are_among_the_seeds() -> None:
    for seed in TARGETS["protocol"].seeds():
        parse_protocol(seed.decode(), source="seed")
    for seed in TARGETS["readme"].seeds()[:2]:
        assert not parse_readme(seed).missing()
    assert Manifest.from_json(json.loads(TARGETS["manifest"].seeds()[0])).files
    assert Formula.parse(TARGETS["formula"].seeds()[0].decode()).names == {"psnr", "runtime_s"}


def test_good_members_become_a_good_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    archives: list[bytes] = []
    monkeypatch.setattr(targets, "check", archives.append)

    targets.members(TARGETS["members"].seeds()[0])

    protocol = targets._protocol("npy")
    assert check_archive(io.BytesIO(archives[0]), Manifest.for_names(NAMES, protocol), protocol).ok


def test_a_slow_input_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    targets._load("readme")
    clock = iter([0.0, 1.5])
    monkeypatch.setattr(time, "process_time", lambda: next(clock))

    with pytest.raises(TooSlowError, match=r"1\.50 s for 2 bytes"):
        replace(TARGETS["readme"], feed=lambda data: None).run(b"ab")


def test_a_large_input_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([0, 1 << 30])
    monkeypatch.setattr(targets, "_peak_bytes", lambda: next(peaks))

    with pytest.raises(TooLargeError, match="1073741824 bytes"):
        replace(TARGETS["readme"], feed=lambda data: None).run(b"")
